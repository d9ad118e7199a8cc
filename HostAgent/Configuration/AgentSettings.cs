using System.Net;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Configuration;

/// <summary>Validated configuration of the agent.</summary>
internal sealed record AgentSettings
{
    public required string Region { get; init; }

    public required string Server { get; init; }

    public required IReadOnlyList<Uri> Hubs { get; init; }

    /// <summary>Absolute path.</summary>
    public required string StateDirectory { get; init; }

    public string? ImagesDirectory { get; init; }

    public required IReadOnlyList<VmSettings> Vms { get; init; }

    /// <summary>The most memory that all VMs together have, in MiB, with what they need besides.</summary>
    public required int VmMemoryMiB { get; init; }

    /// <summary>What the server has: its share, or the whole machine.</summary>
    public required Capacity Capacity { get; init; }

    /// <summary>Whether the server is a control group of its machine.</summary>
    public required bool HasShare { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public IPAddress? AdvertiseAddress { get; init; }

    public required IReadOnlyDictionary<string, RegistryCredentials> Registries { get; init; }

    /// <summary>The server's primary; null: everything that is not the agent's.</summary>
    public PrimarySettings? Primary { get; init; }

    /// <summary>Share of the server's memory in use at which the agent stops containers by itself.</summary>
    public double LastResortMemory { get; init; } = 0.97;

    /// <summary>What a nested container or a real VM may write to the server's disk; 0: as much as it can.</summary>
    public int DiskWriteMiBPerSecond { get; init; }

    public string? PidFile { get; init; }

    /// <summary>Directory of the image that VMs of the driver <c>qemu</c> start from.</summary>
    public string? VmImage { get; init; }

    /// <summary>Everything of this agent on the machine is named after it.</summary>
    public required Names Names { get; init; }
}

/// <summary>One VM of the server, validated.</summary>
internal sealed record VmSettings(string Name, VmDriverKind Driver, Capacity Capacity, Uri? Endpoint = null, string? Address = null)
{
    /// <summary>Size of the data disk of a VM of the driver <c>qemu</c>; it takes what is written to it.</summary>
    public int DiskMiB { get; init; }
}

/// <summary>The server's primary, validated: exactly one of them.</summary>
internal sealed record PrimarySettings(string? Cgroup, string? Unit, IReadOnlyList<int> Pids, IReadOnlyList<string> Processes);

/// <summary>What runs a VM.</summary>
internal enum VmDriverKind
{
    /// <summary>A container engine in namespaces and control groups of its own on this server.</summary>
    Nested,

    /// <summary>A container engine that somebody else runs.</summary>
    Engine,

    /// <summary>A real VM on this server.</summary>
    Qemu,
}
