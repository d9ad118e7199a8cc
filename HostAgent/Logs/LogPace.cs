namespace Hosting.HostAgent.Logs;

/// <summary>Spreads what is sent evenly over time, for all who send together.</summary>
/// <param name="perSecond">Characters a second.</param>
/// <param name="time">The clock.</param>
internal sealed class LogPace(int perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _free;

    /// <summary>Books room for so many characters and waits until it is their turn.</summary>
    public Task WaitAsync(int characters, CancellationToken cancellation)
    {
        TimeSpan delay;
        lock (_lock)
        {
            var now = time.GetElapsedTime(_start);
            var turn = _free > now ? _free : now;
            _free = turn + TimeSpan.FromSeconds((double)characters / perSecond);
            delay = turn - now;
        }

        return delay > TimeSpan.Zero ? Task.Delay(delay, time, cancellation) : Task.CompletedTask;
    }
}
