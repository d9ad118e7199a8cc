using Hosting.Regions;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// The region's eviction budget: at most so many moves under pressure at once, and so many that begin in a minute. A move is
/// under way until its container ends, or until nobody has asked about it for longer than it is held.
/// </summary>
internal sealed class BudgetCheck(RegionPolicy policy, Func<DateTimeOffset> now, Action<string, string> fail)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, DateTimeOffset> _underWay = new(StringComparer.Ordinal);
    private readonly Queue<DateTimeOffset> _begun = new();

    private DateTimeOffset _restartedAt;

    /// <summary>Most that were under way at once, without those that memory forced.</summary>
    public int Most { get; private set; }

    /// <summary>Most that began within a minute, without those that memory forced.</summary>
    public int MostPerMinute { get; private set; }

    /// <summary>A server was allowed to begin a move, or to go on with it.</summary>
    /// <param name="container">What moves.</param>
    /// <param name="exempt">It began before, or memory leaves no time.</param>
    public void Granted(string container, bool exempt)
    {
        var at = now();
        while (_begun.TryPeek(out var first) && at - first >= Minute) _begun.Dequeue();
        foreach (var (id, asked) in _underWay)
            if (at - asked > Hold) _underWay.Remove(id);
        var isNew = _underWay.TryAdd(container, at);
        _underWay[container] = at;
        if (!isNew || exempt) return;
        _begun.Enqueue(at);
        (Most, MostPerMinute) = (Math.Max(Most, _underWay.Count), Math.Max(MostPerMinute, _begun.Count));
        if (_underWay.Count > policy.MovesAtOnce) fail("at most so many moves at once", $"{_underWay.Count} of {policy.MovesAtOnce}, {Restarted(at)}");
        if (_begun.Count > policy.MovesPerMinute) fail("at most so many moves a minute", $"{_begun.Count} of {policy.MovesPerMinute}, {Restarted(at)}");
    }

    /// <summary>What the placement had in memory is gone; the budget holds all the same.</summary>
    public void PlacementRestarted() => _restartedAt = now();

    public void Ended(string container) => _underWay.Remove(container);

    private string Restarted(DateTimeOffset at) => $"placement began {(at - _restartedAt).TotalSeconds:0.0} s ago";
}
