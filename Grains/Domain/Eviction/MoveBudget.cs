using Hosting.Regions;

namespace Hosting.Domain.Eviction;

/// <summary>
/// How many containers of a region may be moving under pressure at once, and begin to in a minute, so that one hot hour
/// does not move everything. Not thread-safe; the time comes with the calls.
/// </summary>
public sealed class MoveBudget
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly TimeSpan _hold;
    private readonly DateTimeOffset _listensUntil;
    private readonly Dictionary<string, DateTimeOffset> _underWay = new(StringComparer.Ordinal);
    private readonly Queue<DateTimeOffset> _begun = new();

    /// <summary>Nothing is under way as far as it knows.</summary>
    /// <param name="hold">A move that nobody asked about for this long is under way no more.</param>
    /// <param name="after">
    /// When it took over from an earlier budget, of which it knows nothing: for as long as a move is held it only listens for those under
    /// way, and lets none begin but urgent ones. Null when there was none before.
    /// </param>
    public MoveBudget(TimeSpan hold, DateTimeOffset? after = null) => (_hold, _listensUntil) = (hold, after + hold ?? default);

    /// <summary>Moves under way.</summary>
    public int UnderWay => _underWay.Count;

    /// <summary>A move that began before, maybe of an earlier budget, is still under way. It takes its place even beyond the limit.</summary>
    public void Resume(string container, DateTimeOffset now)
    {
        if (!_underWay.ContainsKey(container)) _begun.Enqueue(now);
        _underWay[container] = now;
    }

    /// <summary>Begins a move, if the limits allow it.</summary>
    /// <param name="container">What moves.</param>
    /// <param name="policy">The limits.</param>
    /// <param name="urgent">Begins it whatever the limits say.</param>
    /// <param name="now">The time.</param>
    /// <returns>False when it has to wait.</returns>
    public bool TryBegin(string container, RegionPolicy policy, bool urgent, DateTimeOffset now)
    {
        Expire(now);
        if (!_underWay.ContainsKey(container))
        {
            if (!urgent && (now < _listensUntil || _underWay.Count >= policy.MovesAtOnce || _begun.Count >= policy.MovesPerMinute)) return false;
            _begun.Enqueue(now);
        }
        _underWay[container] = now;
        return true;
    }

    /// <summary>A container has ended. One that is not moving changes nothing.</summary>
    public void End(string container) => _underWay.Remove(container);

    private void Expire(DateTimeOffset now)
    {
        while (_begun.Count > 0 && now - _begun.Peek() >= Minute) _begun.Dequeue();
        foreach (var (container, askedAt) in _underWay)
            if (now - askedAt > _hold) _underWay.Remove(container);
    }
}
