using Hosting.Placement;

namespace Hosting.Servers;

/// <summary>A server as PostgreSQL holds it: identity, capacity and the operator's policy for it.</summary>
[GenerateSerializer, Alias("hosting.ServerRecord")]
public sealed record ServerRecord
{
    /// <summary>Name of its region.</summary>
    [Id(0)] public required string Region { get; init; }

    /// <summary>Name within the region, a DNS label.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>CPU of the whole server in thousandths of a core.</summary>
    [Id(2)] public required int CpuMillis { get; init; }

    /// <summary>Memory of the whole server in MiB.</summary>
    [Id(3)] public required int MemoryMiB { get; init; }

    /// <summary>Labels that come with its agent.</summary>
    [Id(4)] public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether an operator closed it for new containers.</summary>
    [Id(5)] public bool Cordoned { get; init; }

    /// <summary>Thresholds of its own; null takes the region's.</summary>
    [Id(6)] public Thresholds? Thresholds { get; init; }

    /// <summary>Whether an operator empties it; then it is <see cref="Cordoned"/>, too.</summary>
    [Id(7)] public bool Draining { get; init; }
}

/// <summary>A VM as PostgreSQL holds it.</summary>
[GenerateSerializer, Alias("hosting.VmRecord")]
public sealed record VmRecord
{
    /// <summary>Name of its region.</summary>
    [Id(0)] public required string Region { get; init; }

    /// <summary>Name of its server.</summary>
    [Id(1)] public required string Server { get; init; }

    /// <summary>Name within the server, a DNS label.</summary>
    [Id(2)] public required string Name { get; init; }

    /// <summary>Driver that runs it: <c>nested</c>, <c>engine</c> or <c>qemu</c>.</summary>
    [Id(3)] public required string Driver { get; init; }

    /// <summary>CPU it offers to containers, in thousandths of a core.</summary>
    [Id(4)] public required int CpuMillis { get; init; }

    /// <summary>Memory it offers to containers, in MiB.</summary>
    [Id(5)] public required int MemoryMiB { get; init; }

    /// <summary>Whether its engine answers.</summary>
    [Id(6)] public bool Ready { get; init; }

    /// <summary>Why it is not ready; null when it is.</summary>
    [Id(7)] public string? Reason { get; init; }

    /// <summary>Whether an operator closed it for new containers.</summary>
    [Id(8)] public bool Cordoned { get; init; }

    /// <summary>Whether an operator empties it; then it is <see cref="Cordoned"/>, too.</summary>
    [Id(9)] public bool Draining { get; init; }

    /// <summary>Whether its server will do without it, by its agent's word: it takes nothing more and is emptied.</summary>
    [Id(10)] public bool Leaving { get; init; }

    /// <summary>Whether a report says nothing new of its size and of its staying.</summary>
    public bool IsAs(VmReport report) => report.Leaving == Leaving
        && (report.CpuMillis <= 0 || report.CpuMillis == CpuMillis) && (report.MemoryMiB <= 0 || report.MemoryMiB == MemoryMiB);

    /// <summary>With the size, and the staying, that a report says.</summary>
    public VmRecord As(VmReport report) => this with
    {
        CpuMillis = report.CpuMillis > 0 ? report.CpuMillis : CpuMillis,
        MemoryMiB = report.MemoryMiB > 0 ? report.MemoryMiB : MemoryMiB,
        Leaving = report.Leaving,
    };
}

/// <summary>A server as the matching of its region sees it now.</summary>
[GenerateSerializer, Alias("hosting.ServerStatus")]
public sealed record ServerStatus
{
    /// <summary>Identity, capacity, policy.</summary>
    [Id(0)] public required ServerRecord Server { get; init; }

    /// <summary>Whether its agent is connected.</summary>
    [Id(1)] public required bool Online { get; init; }

    /// <summary>Whether it takes new containers at all.</summary>
    [Id(2)] public required bool Admitting { get; init; }

    /// <summary>Why it takes none, with the numbers; null when it does.</summary>
    [Id(3)] public string? NotAdmittingReason { get; init; }

    /// <summary>Last measurement; null when there is none.</summary>
    [Id(4)] public Utilization? Utilization { get; init; }

    /// <summary>Its thresholds or, where it has none of its own, the region's.</summary>
    [Id(5)] public required Thresholds Thresholds { get; init; }

    /// <summary>Its VMs with what is free in them.</summary>
    [Id(6)] public required IReadOnlyList<VmStatus> Vms { get; init; }

    /// <summary>Not heard from lately: it takes nothing new, and what runs on it keeps its traffic until it counts as lost.</summary>
    [Id(7)] public bool Suspect { get; init; }

    /// <summary>When its last measurement came; null when there is none since the region's matching started.</summary>
    [Id(8)] public DateTimeOffset? LastHeardAt { get; init; }

    /// <summary>Share of the time for which its primary waited for a CPU, 0 to 1; null when that is not measured.</summary>
    [Id(9)] public double? PrimaryWait { get; init; }

    /// <summary>What its containers together may use of its CPU for the primary's sake, in thousandths of a core; null while they are not held to less than they want.</summary>
    [Id(10)] public int? CapMillis { get; init; }

    /// <summary>Share of its CPU, 0 to 1, that its containers would take more if they were not held to <see cref="CapMillis"/>.</summary>
    [Id(11)] public double HeldBack { get; init; }
}

/// <summary>A VM as the matching of its region sees it now.</summary>
[GenerateSerializer, Alias("hosting.VmStatus")]
public sealed record VmStatus
{
    /// <summary>Identity and capacity.</summary>
    [Id(0)] public required VmRecord Vm { get; init; }

    /// <summary>CPU not promised to any container, in thousandths of a core.</summary>
    [Id(1)] public required int FreeCpuMillis { get; init; }

    /// <summary>Memory not promised to any container, in MiB.</summary>
    [Id(2)] public required int FreeMemoryMiB { get; init; }

    /// <summary>Containers in it that are not over.</summary>
    [Id(3)] public required int Containers { get; init; }
}
