namespace Hosting.HostAgent.Reconcile;

/// <summary>
/// Lets what is to be stopped wait a little while containers are being started on the same server: to take one down costs an engine
/// about a third of what bringing one up does, and whoever is stopped gets no requests any more, while somebody waits for who is started.
/// </summary>
internal sealed class StartsFirst(TimeProvider time)
{
    /// <summary>Longer than a start leads to the next one, in a rollout that goes from replica to replica.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Nothing waits longer: what is stopped holds memory.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private readonly Lock _lock = new();
    private int _starting;
    private long? _lastEnded;

    /// <summary>Something is being created or started, until the answer is disposed.</summary>
    public IDisposable Starting()
    {
        lock (_lock)
            _starting++;
        return new Start(this);
    }

    /// <summary>Waits until nothing has been started for 0.2 s, 3 s at most.</summary>
    public async Task YieldAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (!MayStop(time.GetElapsedTime(begun)))
            await Task.Delay(LookEvery, time, cancellation);
    }

    /// <summary>Whether somebody may be stopped who has waited so long for it.</summary>
    internal bool MayStop(TimeSpan waited)
    {
        lock (_lock)
            return waited >= Longest || (_starting == 0 && (_lastEnded is not { } ended || time.GetElapsedTime(ended) >= Pause));
    }

    private void End()
    {
        lock (_lock)
        {
            _starting--;
            _lastEnded = time.GetTimestamp();
        }
    }

    private sealed class Start(StartsFirst all) : IDisposable
    {
        public void Dispose() => all.End();
    }
}
