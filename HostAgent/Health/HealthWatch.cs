namespace Hosting.HostAgent.Health;

/// <summary>Checks one run of one container until it is disposed.</summary>
internal sealed class HealthWatch : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    private HealthWatch(DateTimeOffset startedAt) => StartedAt = startedAt;

    /// <summary>The run it belongs to.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>Where the checks stand.</summary>
    public HealthState State { get; private set; }

    /// <summary>Starts checking; the callback follows every check.</summary>
    public static HealthWatch Start(HealthProbe probe, string address, int port, HealthRules rules, DateTimeOffset startedAt, TimeProvider time, Action<HealthWatch> changed)
    {
        var watch = new HealthWatch(startedAt);
        _ = watch.RunAsync(probe, address, port, rules, time, changed);
        return watch;
    }

    public void Dispose() => _stop.Cancel();

    private async Task RunAsync(HealthProbe probe, string address, int port, HealthRules rules, TimeProvider time, Action<HealthWatch> changed)
    {
        var cancellation = _stop.Token;
        try
        {
            for (var checks = 0; ; checks = State.Healthy ? 0 : checks + 1)
            {
                var failure = await probe.CheckAsync(address, port, rules, cancellation);
                var before = State;
                State = State.After(rules, failure, time.GetUtcNow() - StartedAt);
                if (before != State)
                    changed(this);
                await Task.Delay(rules.Delay(State.Healthy, checks), time, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Its container does not run any more.
        }
    }
}
