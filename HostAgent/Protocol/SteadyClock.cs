namespace Hosting.Protocol;

/// <summary>
/// The time of day without jumps, for both ends of the protocol. Silence, backoff and grace periods are measured by it, and whole servers would count
/// as lost when somebody sets a machine's clock forward. It begins with the machine's clock, goes on with the time that
/// passes, and follows what was set by a hundredth of that at most: it never goes back.
/// </summary>
/// <param name="machine">The machine's clock.</param>
public sealed class SteadyClock(TimeProvider machine) : TimeProvider
{
    private const int FollowOneIn = 100;

    private readonly Lock _lock = new();
    private DateTimeOffset _now = machine.GetUtcNow();
    private long _readAt = machine.GetTimestamp();

    /// <summary>The clock of this process.</summary>
    public SteadyClock() : this(System)
    {
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var read = machine.GetTimestamp();
            var passed = machine.GetElapsedTime(_readAt, read);
            _readAt = read;
            _now += passed;
            var most = passed / FollowOneIn;
            var behind = machine.GetUtcNow() - _now;
            _now += behind > most ? most : behind < -most ? -most : behind;
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => machine.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);
}
