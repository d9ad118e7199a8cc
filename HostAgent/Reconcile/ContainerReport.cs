using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Health;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>What is told the control plane about one container. Pure.</summary>
internal static class ContainerReport
{
    /// <summary>The container's status.</summary>
    /// <param name="vm">Name of its VM.</param>
    /// <param name="address">Address of published ports; null while the VM is down.</param>
    /// <param name="desired">What is wanted of it; null when nothing is.</param>
    /// <param name="observed">What is known of it.</param>
    /// <param name="health">Its checks since it started last.</param>
    public static Container Of(string vm, string? address, DesiredContainer? desired, Observed observed, HealthState health)
    {
        var state = State(desired, observed);
        var running = state == ContainerState.Running;
        var serves = running && observed.IsRunning && address is not null;
        var healthy = serves && health.Healthy;
        return new Container
        {
            Vm = vm,
            Id = observed.Id,
            App = desired?.App ?? observed.App,
            Revision = desired?.Revision ?? observed.Revision,
            State = state,
            Healthy = healthy,
            Endpoint = running && address is not null && observed.Port > 0 ? HostPort.Of(address, observed.Port) : "",
            StartedAt = observed.StartedAt?.ToUnixTimeMilliseconds() ?? 0,
            Reason = healthy ? "" : Reason(address, desired, observed, health, state),
        };
    }

    private static ContainerState State(DesiredContainer? desired, Observed observed)
    {
        // Told before it is gone: its replacement need not wait for that.
        if (observed.Failure is not null)
            return ContainerState.Failed;
        if (desired is { Stop: true } && observed.Presence == Presence.Absent && !observed.Stale)
            return ContainerState.Stopped;
        return observed.HasRun ? ContainerState.Running : ContainerState.Starting;
    }

    private static string Reason(string? address, DesiredContainer? desired, Observed observed, HealthState health, ContainerState state)
    {
        if (state == ContainerState.Stopped)
            return "";
        if (observed.Failure is { } failure)
            return failure;
        // Its end is wanted: how it ended is no news, and it is not started again.
        if (desired is { Stop: true } && observed is { Presence: Presence.Exited, Waiting: Work.Run })
            return "";
        if (address is null)
            return "its VM is not up";
        if (observed.IsRunning && !observed.Stale)
            return string.Join("; ", new[] { desired is null ? "not wanted here" : null, health.Reason, observed.Reason }.Where(part => part is not null));
        return observed.Reason ?? "";
    }
}
