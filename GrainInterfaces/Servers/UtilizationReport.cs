using Hosting.Placement;

namespace Hosting.Servers;

/// <summary>A measurement of a server, sent about every 500 ms.</summary>
[GenerateSerializer, Immutable, Alias("hosting.UtilizationReport")]
public sealed record UtilizationReport
{
    /// <summary>When it was measured, by the server's clock.</summary>
    [Id(0)] public required DateTimeOffset SampledAt { get; init; }

    /// <summary>The shares in use.</summary>
    [Id(1)] public required Utilization Utilization { get; init; }

    /// <summary>Readiness of each VM and the version of its desired state that its agent works on.</summary>
    [Id(2)] public required IReadOnlyList<VmReport> Vms { get; init; }

    /// <summary>What each running container uses; a container that is not listed was not measured.</summary>
    [Id(3)] public IReadOnlyList<ContainerUsage> Usage { get; init; } = [];

    /// <summary>
    /// Of the time in which threads of the primary could have run, the share they waited for a CPU, 0 to 1: what its neighbours
    /// cost it. 0 when it hardly wanted to run, null when it was not measured.
    /// </summary>
    [Id(4)] public double? PrimaryWait { get; init; }

    /// <summary>What all containers of the server together may use of its CPU, in thousandths of a core; null without a cap.</summary>
    [Id(5)] public int? CapMillis { get; init; }

    /// <summary>Share of the server's CPU, 0 to 1, that its containers would take more if they were not held to the cap.</summary>
    [Id(6)] public double HeldBack { get; init; }

    /// <summary>Why the server's primary may feel its VMs, by its agent's own check: it takes nothing new meanwhile. Null when it should not.</summary>
    [Id(9)] public string? Unprotected { get; init; }

    /// <summary>The shares that would be in use without a cap: a server that is only kept from being full is full.</summary>
    public Utilization Wanted => Utilization with { Cpu = Math.Min(1, Utilization.Cpu + HeldBack) };
}

/// <summary>What a container uses, by its control group.</summary>
/// <param name="Container">Id of the container.</param>
/// <param name="CpuMillis">CPU in thousandths of a core, averaged since the measurement before.</param>
/// <param name="MemoryMiB">Memory in MiB, rounded up, without the file cache that the kernel can drop at once.</param>
/// <param name="HeldMillis">CPU in thousandths of a core that it would take more if containers were not held to a cap.</param>
[GenerateSerializer, Alias("hosting.ContainerUsage")]
public sealed record ContainerUsage(
    [property: Id(0)] string Container, [property: Id(1)] int CpuMillis, [property: Id(2)] int MemoryMiB, [property: Id(3)] int HeldMillis = 0);

/// <summary>A measurement and the server it is of.</summary>
/// <param name="Server">Name within the region.</param>
/// <param name="Report">The measurement.</param>
[GenerateSerializer, Immutable, Alias("hosting.ServerReport")]
public sealed record ServerReport([property: Id(0)] string Server, [property: Id(1)] UtilizationReport Report);

/// <summary>How a VM does, by its agent's word.</summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Ready">Whether its engine answers.</param>
/// <param name="AppliedVersion">Version of the desired state its agent took last; 0 when none.</param>
/// <param name="Reason">Why it is not ready; null when it is.</param>
/// <param name="Gone">It will not come back: its containers are replaced at once.</param>
/// <param name="CpuMillis">CPU it offers now, in thousandths of a core; 0: as its agent's hello said.</param>
/// <param name="MemoryMiB">Memory it offers now, in MiB; 0: as its agent's hello said.</param>
/// <param name="Leaving">Its server will do without it: it is emptied, and gone once it is empty.</param>
[GenerateSerializer, Immutable, Alias("hosting.VmReport")]
public sealed record VmReport(
    [property: Id(0)] string Vm, [property: Id(1)] bool Ready, [property: Id(2)] long AppliedVersion, [property: Id(3)] string? Reason,
    [property: Id(4)] bool Gone = false, [property: Id(5)] int CpuMillis = 0, [property: Id(6)] int MemoryMiB = 0, [property: Id(7)] bool Leaving = false);
