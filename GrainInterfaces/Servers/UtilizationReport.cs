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
}

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
[GenerateSerializer, Immutable, Alias("hosting.VmReport")]
public sealed record VmReport(
    [property: Id(0)] string Vm, [property: Id(1)] bool Ready, [property: Id(2)] long AppliedVersion, [property: Id(3)] string? Reason);
