using System.Diagnostics;

namespace Hosting.Support.Faults;

/// <summary>The longest time without a success, among questions asked in turn.</summary>
public sealed class Outage
{
    private readonly Lock _lock = new();
    private long _lastGood;
    private TimeSpan _longest;

    /// <summary>The longest so far, up to the last success.</summary>
    public TimeSpan Longest
    {
        get { lock (_lock) return _longest; }
    }

    /// <summary>Forgets what was: the next success is the first.</summary>
    public void Reset()
    {
        lock (_lock)
            (_lastGood, _longest) = (0, TimeSpan.Zero);
    }

    /// <summary>A question was answered well.</summary>
    /// <param name="asked">When it was asked, as a timestamp.</param>
    public void Good(long asked)
    {
        lock (_lock)
        {
            if (_lastGood != 0 && asked > _lastGood && Stopwatch.GetElapsedTime(_lastGood, asked) is var gap && gap > _longest)
                _longest = gap;
            _lastGood = Math.Max(_lastGood, asked);
        }
    }
}
