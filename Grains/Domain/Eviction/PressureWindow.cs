using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>
/// How long a server has been over its evict threshold, and by how much. One report under it between two over it is noise;
/// two in a row end it, and so does silence.
/// </summary>
internal sealed class PressureWindow
{
    private static readonly TimeSpan Averaged = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);
    private const int CalmReports = 2;

    // One report may be of a moment; two are a second.
    private const int LeastReports = 2;

    private readonly Queue<(DateTimeOffset At, Utilization Utilization)> _samples = new();
    private DateTimeOffset? _overSince;
    private DateTimeOffset _last;
    private int _calm;

    /// <summary>Utilization, averaged over the last 2 s; none before the first report.</summary>
    public Utilization Level => _samples.Count == 0 ? default : new Utilization(
        _samples.Average(s => s.Utilization.Cpu), _samples.Average(s => s.Utilization.Memory), _samples.Average(s => s.Utilization.PrimaryCpu));

    /// <summary>How long it has been over; null when it is not.</summary>
    public TimeSpan? OverFor => _overSince is { } since ? _last - since : null;

    /// <summary>Whether there are enough reports, and the last one is not old.</summary>
    public bool IsTelling(DateTimeOffset now) => _samples.Count >= LeastReports && now - _last <= Silence;

    /// <summary>A report, in the order of time.</summary>
    public void Add(Utilization utilization, Thresholds thresholds, DateTimeOffset now)
    {
        if (now - _last > Silence) Forget();
        // A report is the average since the one before: what is over in it has been so for that long.
        var measuredSince = _samples.Count > 0 ? _last : now;
        _last = now;
        var over = utilization.Cpu > thresholds.Evict || utilization.Memory > thresholds.Evict;
        if (over && _overSince is null) Begin(measuredSince);
        _calm = over ? 0 : _calm + 1;
        if (_calm >= CalmReports) _overSince = null;
        _samples.Enqueue((now, utilization));
        while (now - _samples.Peek().At > Averaged) _samples.Dequeue();
    }

    /// <summary>The reports so far say nothing of the load any more, because a container has left: only later ones count for the level.</summary>
    public void Restart() => _samples.Clear();

    /// <summary>What was before the peak does not lower its level.</summary>
    private void Begin(DateTimeOffset since)
    {
        _overSince = since;
        _samples.Clear();
    }

    private void Forget()
    {
        _samples.Clear();
        _overSince = null;
        _calm = 0;
    }
}
