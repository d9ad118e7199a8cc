using System.Text.Json.Serialization;

namespace Hosting.Placement;

/// <summary>The rules that exclude a VM, in the order they are asked.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlacementRule>))]
public enum PlacementRule
{
    /// <summary>Its server has no agent connected.</summary>
    [JsonStringEnumMemberName("offline")] Offline,

    /// <summary>Its server's last measurement is too old, or there was none since the region's matching started.</summary>
    [JsonStringEnumMemberName("stale")] Stale,

    /// <summary>Its server is cordoned.</summary>
    [JsonStringEnumMemberName("cordoned")] Cordoned,

    /// <summary>Its server's own check found that its primary may feel the VMs.</summary>
    [JsonStringEnumMemberName("unprotected")] Unprotected,

    /// <summary>The VM's engine is not ready.</summary>
    [JsonStringEnumMemberName("vmNotReady")] VmNotReady,

    /// <summary>Its server lacks a label the spec asks for, or was to be avoided.</summary>
    [JsonStringEnumMemberName("constraints")] Constraints,

    /// <summary>The VM has too little free CPU.</summary>
    [JsonStringEnumMemberName("freeCpu")] FreeCpu,

    /// <summary>The VM has too little free memory.</summary>
    [JsonStringEnumMemberName("freeMemory")] FreeMemory,

    /// <summary>Its server's projected CPU utilization would be at or over the admit threshold.</summary>
    [JsonStringEnumMemberName("cpuThreshold")] CpuThreshold,

    /// <summary>Its server's projected memory utilization would be at or over the admit threshold.</summary>
    [JsonStringEnumMemberName("memoryThreshold")] MemoryThreshold,
}

/// <summary>What the matching would do with a demand, and why.</summary>
[GenerateSerializer, Alias("hosting.PlacementExplanation")]
public sealed record PlacementExplanation
{
    /// <summary>Name of the region.</summary>
    [Id(0)] public required string Region { get; init; }

    /// <summary>VMs in the region.</summary>
    [Id(1)] public required int Vms { get; init; }

    /// <summary>VMs that match.</summary>
    [Id(2)] public required int Matching { get; init; }

    /// <summary>VMs excluded by each rule.</summary>
    [Id(3)] public required IReadOnlyList<RuleCount> Excluded { get; init; }

    /// <summary>The best matches first, then excluded ones, up to the number asked for.</summary>
    [Id(4)] public required IReadOnlyList<PlacementCandidate> Candidates { get; init; }
}

/// <summary>One VM and how it stands to a demand.</summary>
[GenerateSerializer, Alias("hosting.PlacementCandidate")]
public sealed record PlacementCandidate
{
    /// <summary>Server, without the region.</summary>
    [Id(0)] public required string Server { get; init; }

    /// <summary>VM, without region and server.</summary>
    [Id(1)] public required string Vm { get; init; }

    /// <summary>Free CPU of the VM in thousandths of a core.</summary>
    [Id(2)] public required int FreeCpuMillis { get; init; }

    /// <summary>Free memory of the VM in MiB.</summary>
    [Id(3)] public required int FreeMemoryMiB { get; init; }

    /// <summary>The server's CPU utilization with everything under way and this demand, 0 to 1 (and over, when it would not fit).</summary>
    [Id(4)] public required double ProjectedCpu { get; init; }

    /// <summary>The server's memory utilization with everything under way and this demand.</summary>
    [Id(5)] public required double ProjectedMemory { get; init; }

    /// <summary>The server's admit threshold.</summary>
    [Id(6)] public required double Admit { get; init; }

    /// <summary>Replicas of the app on the server.</summary>
    [Id(7)] public required int Replicas { get; init; }

    /// <summary>Place in the order of preference, from 1; null when excluded.</summary>
    [Id(8)] public int? Rank { get; init; }

    /// <summary>The first rule that excludes it; null when it matches.</summary>
    [Id(9)] public PlacementRule? ExcludedBy { get; init; }

    /// <summary>The reason with its numbers; null when it matches.</summary>
    [Id(10)] public string? Reason { get; init; }

    /// <summary>Replicas of the app in the VM.</summary>
    [Id(11)] public required int ReplicasInVm { get; init; }
}
