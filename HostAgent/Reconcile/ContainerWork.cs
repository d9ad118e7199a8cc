using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Logs;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>Does one operation on an engine and answers what is known then.</summary>
internal sealed class ContainerWork(ContainerEngine engine, ImageSource images, PortAllocator ports, TimeProvider time)
{
    // Who is stopped because the server has nothing left gets no long time for it.
    private const int FailedGraceSeconds = 2;

    /// <summary>One operation; failures are in what it answers.</summary>
    /// <exception cref="OperationCanceledException">The VM is gone or the agent ends.</exception>
    public Task<Observed> ExecuteAsync(DesiredContainer? desired, Observed observed, Operation operation, CancellationToken cancellation) =>
        operation.Verb switch
        {
            Verb.Inspect => InspectAsync(desired, observed, operation, cancellation),
            Verb.Create => CreateAsync(desired!, observed, operation, cancellation),
            _ => PlainAsync(desired, observed, operation, cancellation),
        };

    private async Task<Observed> InspectAsync(DesiredContainer? desired, Observed observed, Operation operation, CancellationToken cancellation)
    {
        var (result, found) = await engine.InspectAsync(observed.Id, cancellation);
        var now = time.GetUtcNow();
        if (found is { Port: > 0 })
            ports.Keep(found.Port);
        if (desired is { Stop: false } && found is not null && ContainerStep.IsNewExit(observed, found))
            found = found with { LastLines = await LastLines.ReadAsync(engine.Log(found.Id), found.StartedAt, cancellation) };
        return result.Outcome == EngineOutcome.Done
            ? ContainerStep.Seen(observed, found, now) : ContainerStep.After(observed, operation, result, now);
    }

    private async Task<Observed> CreateAsync(DesiredContainer desired, Observed observed, Operation operation, CancellationToken cancellation)
    {
        var port = ports.Take();
        var (result, engineId) = port == 0
            ? (new EngineResult(EngineOutcome.Refused, "every port of the VM is in use"), "")
            : await engine.CreateAsync(desired, port, cancellation);
        if (result.Outcome != EngineOutcome.Done)
            ports.Free(port);
        var after = ContainerStep.After(observed, operation, result, time.GetUtcNow());
        return result.Outcome == EngineOutcome.Done ? after with { Port = port, EngineId = engineId, StopGraceSeconds = desired.StopGraceSeconds } : after;
    }

    private async Task<Observed> PlainAsync(DesiredContainer? desired, Observed observed, Operation operation, CancellationToken cancellation)
    {
        var result = operation.Verb switch
        {
            Verb.FetchImage => await images.FetchAsync(engine, desired!.Image, cancellation),
            Verb.Start => await engine.StartAsync(observed.Id, cancellation),
            Verb.Stop => await engine.StopAsync(
                new EngineContainer { Id = observed.Id, Presence = observed.Presence, StopGraceSeconds = Grace(observed) }, cancellation),
            Verb.Remove => await engine.RemoveAsync(observed.Id, cancellation),
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation.Verb, "is not done on an engine"),
        };
        return ContainerStep.After(observed, operation, result, time.GetUtcNow());
    }

    private static int Grace(Observed observed) =>
        observed.Failure is null ? observed.StopGraceSeconds : Math.Min(FailedGraceSeconds, observed.StopGraceSeconds);
}
