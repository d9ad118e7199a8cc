namespace Hosting.Simulation.Tests.Time;

/// <summary>
/// The one clock of a simulation and everything that is still to happen, in the order of time; what happens at the same time
/// keeps the order in which it was asked for. Nothing else drives the simulation, so one seed is one history.
/// </summary>
internal sealed class VirtualTime
{
    /// <summary>When every simulation begins.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, Moment> _events = new();
    private long _order;

    public DateTimeOffset Now { get; private set; } = Start;

    /// <summary>Seconds since the start.</summary>
    public double Seconds => (Now - Start).TotalSeconds;

    /// <summary>Events that have happened.</summary>
    public long Happened { get; private set; }

    public void At(DateTimeOffset at, Action act) => _events.Enqueue(act, new Moment(Math.Max(at.UtcTicks, Now.UtcTicks), _order++));

    public void After(TimeSpan delay, Action act) => At(Now + delay, act);

    /// <summary>To be awaited: goes on after the delay.</summary>
    public Pause Wait(TimeSpan delay) => new(this, delay);

    /// <summary>Lets everything happen up to a time, for as long as <paramref name="goOn"/> says so.</summary>
    public void Run(DateTimeOffset until, Func<bool> goOn)
    {
        while (_events.TryPeek(out _, out var next) && next.Ticks <= until.UtcTicks && goOn())
        {
            var act = _events.Dequeue();
            Now = new DateTimeOffset(next.Ticks, TimeSpan.Zero);
            Happened++;
            act();
        }
        if (goOn()) Now = until;
    }

    private readonly record struct Moment(long Ticks, long Order) : IComparable<Moment>
    {
        public int CompareTo(Moment other) => Ticks != other.Ticks ? Ticks.CompareTo(other.Ticks) : Order.CompareTo(other.Order);
    }
}
