namespace Hosting.HostAgent.Configuration;

/// <summary>The configuration section <c>Agent</c> as written by an operator; <see cref="AgentSettings"/> is what holds after validation.</summary>
internal sealed class AgentOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Agent";

    /// <summary>Region of the server, a DNS label.</summary>
    public string? Region { get; set; }

    /// <summary>Name of the server within its region, a DNS label.</summary>
    public string? Server { get; set; }

    /// <summary>Addresses of silos, <c>http://host:port</c> (HTTP/2 without TLS), tried in turn.</summary>
    public IList<string> Hubs { get; set; } = [];

    /// <summary>Where the agent keeps its state and the VMs their data.</summary>
    public string? StateDirectory { get; set; }

    /// <summary>Directory of archives made by <c>docker save</c>; optional.</summary>
    public string? ImagesDirectory { get; set; }

    /// <summary>VMs of the server, one by one; none means <see cref="VmCount"/> equal ones.</summary>
    public IList<VmOptions> Vms { get; set; } = [];

    /// <summary>How many equal VMs the server has, <c>vm-1</c>, <c>vm-2</c> and so on, 0 to 64 (default 2); instead of <see cref="Vms"/>.</summary>
    public int? VmCount { get; set; }

    /// <summary>Driver of those VMs, <c>nested</c> (default) or <c>qemu</c>.</summary>
    public string? VmDriver { get; set; }

    /// <summary>What the VMs leave to the server's primary.</summary>
    public ReserveOptions? Reserve { get; set; }

    /// <summary>Makes the server a control group with this share of the machine; none means the whole machine.</summary>
    public ShareOptions? Share { get; set; }

    /// <summary>Labels that placement may ask for.</summary>
    public IDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>();

    /// <summary>IPv4 address of the server for gateways on other machines; none means that gateways run on this machine.</summary>
    public string? AdvertiseAddress { get; set; }

    /// <summary>What the server's primary is; none means everything that is not the agent's.</summary>
    public PrimaryOptions? Primary { get; set; }

    /// <summary>Share of the server's memory in use at which the agent stops containers by itself, over 0 up to 1 (default 0.97).</summary>
    public double LastResortMemory { get; set; } = 0.97;

    /// <summary>What a container of the driver <c>nested</c>, or a VM of the driver <c>qemu</c>, may write to the server's disk, in MiB a second (default 20); 0: as much as it can.</summary>
    public int DiskWriteMiBPerSecond { get; set; } = 20;

    /// <summary>Directory of the image made by <c>infra/vm-image</c>; for VMs of the driver <c>qemu</c>.</summary>
    public string? VmImage { get; set; }

    /// <summary>File to write the process id to; optional.</summary>
    public string? PidFile { get; set; }
}

/// <summary>One VM of the server.</summary>
internal sealed class VmOptions
{
    /// <summary>Name within the server, a DNS label.</summary>
    public string? Name { get; set; }

    /// <summary><c>nested</c> (default), <c>qemu</c> or <c>engine</c>.</summary>
    public string? Driver { get; set; }

    /// <summary>CPU it offers, in thousandths of a core; none: an equal part of what the reserve and the other VMs leave. Required for the driver <c>engine</c>.</summary>
    public int? CpuMillis { get; set; }

    /// <summary>Memory it offers, in MiB; as <see cref="CpuMillis"/>.</summary>
    public int? MemoryMiB { get; set; }

    /// <summary>Size of its data disk in MiB, which takes only what is written to it (default 20,480); driver <c>qemu</c> only.</summary>
    public int? DiskMiB { get; set; }

    /// <summary>Docker endpoint (<c>unix:///...</c> or <c>tcp://host:port</c>); driver <c>engine</c> only.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Address at which published ports of that engine are reached; driver <c>engine</c> only.</summary>
    public string? Address { get; set; }
}

/// <summary>What the VMs leave to the server's primary.</summary>
internal sealed class ReserveOptions
{
    /// <summary>CPU in thousandths of a core (default 0: the VMs yield it whenever it is wanted).</summary>
    public int? CpuMillis { get; set; }

    /// <summary>Memory in MiB; none: half of it, and what VMs over 4 GiB would have.</summary>
    public int? MemoryMiB { get; set; }
}

/// <summary>The server's primary, in one of these ways.</summary>
internal sealed class PrimaryOptions
{
    /// <summary>Name of its control group, such as <c>/system.slice/nginx.service</c>.</summary>
    public string? Cgroup { get; set; }

    /// <summary>Its systemd unit, such as <c>nginx.service</c>.</summary>
    public string? Unit { get; set; }

    /// <summary>Its process ids.</summary>
    public IList<int> Pids { get; set; } = [];

    /// <summary>Names of its processes, as <c>ps -e</c> shows them: at most 15 characters.</summary>
    public IList<string> Processes { get; set; } = [];
}

/// <summary>A server's share of its machine.</summary>
internal sealed class ShareOptions
{
    /// <summary>CPU in thousandths of a core.</summary>
    public int CpuMillis { get; set; }

    /// <summary>Memory in MiB.</summary>
    public int MemoryMiB { get; set; }
}

/// <summary>Credentials for one image registry.</summary>
internal sealed record RegistryCredentials(string Username, string Password);
