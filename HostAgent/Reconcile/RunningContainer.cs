using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>A container whose process runs.</summary>
/// <param name="Vm">Name of its VM.</param>
/// <param name="Id">The platform's id.</param>
/// <param name="EngineId">The engine's own id.</param>
/// <param name="StartedAt">When its process started last; null when that is not known.</param>
/// <param name="Leaving">It is being stopped, or should be.</param>
internal sealed record RunningContainer(string Vm, string Id, string EngineId, DateTimeOffset? StartedAt, bool Leaving)
{
    /// <summary>Memory that it may use, in MiB; 0 when that is not known.</summary>
    public int PromisedMiB { get; init; }

    /// <summary>Null when it does not run, as far as is known.</summary>
    public static RunningContainer? Of(string vm, DesiredContainer? desired, Observed observed) => observed is { IsRunning: true, EngineId.Length: > 0 }
        ? new RunningContainer(vm, observed.Id, observed.EngineId, observed.StartedAt, desired is not { Stop: false } || observed.Failure is not null)
        {
            PromisedMiB = desired?.MemoryMib ?? 0,
        }
        : null;
}
