using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>A container in the ledger. Containers of one server are chained, so that releasing one costs no search.</summary>
internal sealed class ContainerEntry(ContainerRecord record, VmEntry vm, AppReplicas app)
{
    public ContainerRecord Record { get; } = record;

    public VmEntry Vm { get; } = vm;

    public AppReplicas App { get; } = app;

    /// <summary>When its process started last, by its server's clock.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>No report sampled after its start has come: its demand is not in its server's utilization yet.</summary>
    public bool InFlight { get; set; }

    public ContainerEntry? Previous { get; set; }

    public ContainerEntry? Next { get; set; }
}
