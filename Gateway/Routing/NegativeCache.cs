using System.Collections.Concurrent;

namespace Hosting.Gateway.Routing;

/// <summary>
/// Host names that lead nowhere, each remembered for one to two periods: two generations, the older one dropped as a whole.
/// Full, it takes no more, and the limits of resolving hold alone.
/// </summary>
internal sealed class NegativeCache(TimeSpan period, int capacity, TimeProvider time)
{
    private readonly Lock _turning = new();
    private volatile ConcurrentDictionary<string, bool> _young = New();
    private volatile ConcurrentDictionary<string, bool> _old = New();
    private int _count;
    private long _turned = time.GetTimestamp();

    /// <summary>Whether the name was found to lead nowhere a moment ago.</summary>
    public bool Contains(string host)
    {
        Turn();
        return _young.ContainsKey(host) || _old.ContainsKey(host);
    }

    /// <summary>Remembers that the name leads nowhere.</summary>
    public void Add(string host)
    {
        Turn();
        if (Volatile.Read(ref _count) < capacity && _young.TryAdd(host, true))
            Interlocked.Increment(ref _count);
    }

    /// <summary>The name leads somewhere now.</summary>
    public void Remove(string host)
    {
        _young.TryRemove(host, out _);
        _old.TryRemove(host, out _);
    }

    private void Turn()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _turned)) < period)
            return;
        lock (_turning)
        {
            var elapsed = time.GetElapsedTime(_turned);
            if (elapsed < period)
                return;
            _old = elapsed < period * 2 ? _young : New();
            _young = New();
            _count = 0;
            Volatile.Write(ref _turned, time.GetTimestamp());
        }
    }

    private static ConcurrentDictionary<string, bool> New() => new(StringComparer.OrdinalIgnoreCase);
}
