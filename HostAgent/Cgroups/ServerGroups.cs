using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Cgroups;

/// <summary>Where a VM's processes live.</summary>
/// <param name="EngineGroups">Directories whose <c>cgroup.procs</c> the engine's first process enters.</param>
/// <param name="ContainersParent">The parent group of containers, as a container engine wants it.</param>
/// <param name="ContainerGroups">Its directories: what a VM that is one process enters.</param>
internal sealed record VmGroups(IReadOnlyList<string> EngineGroups, string ContainersParent, IReadOnlyList<string> ContainerGroups);

/// <summary>
/// The server's control groups. Engines run at a modest normal weight, for an engine in the idle class takes long to start on a
/// busy server; containers run in the idle class, set where they meet everybody else: on a whole machine in a group at the
/// top, on a server that is a share of a machine beside its primary's group.
/// </summary>
internal sealed class ServerGroups
{
    private const int EngineShares = 256;
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(20);
    private readonly IReadOnlyList<CgroupMount> _mounts;
    private readonly ILogger _log;
    private readonly Lock _limits = new();
    private readonly Dictionary<string, int> _vmCpuMillis = [];
    private readonly Dictionary<string, int> _vmMemoryMiB = [];
    private int? _cap;
    private int? _memoryHighMiB;

    public ServerGroups(IReadOnlyList<CgroupMount> mounts, string name, bool hasShare, ILogger log)
    {
        (_mounts, _log) = (mounts, log);
        Root = hasShare ? name : null;
        Engines = hasShare ? $"{name}/engines" : $"{name}.engines";
        Idle = hasShare ? $"{name}/idle" : $"{name}.idle";
    }

    /// <summary>The server's own group; null when the server is the whole machine.</summary>
    public string? Root { get; }

    /// <summary>Group of the VMs' engines.</summary>
    public string Engines { get; }

    /// <summary>Group of the VMs' containers.</summary>
    public string Idle { get; }

    /// <summary>Group of the primary on a server that is a share of a machine; null on a whole machine.</summary>
    public string? Primary => Root is null ? null : $"{Root}/primary";

    /// <summary>Makes the server's groups and sets what holds for all of its VMs.</summary>
    /// <param name="share">What a server may use that is a share of its machine; null on a whole machine.</param>
    /// <param name="vmMemoryMiB">Memory over which all VMs together are the first that the kernel takes some from, and slows down; null: none.</param>
    public void Prepare(Capacity? share, int? vmMemoryMiB = null)
    {
        if (Root is not null && share is { } limit)
        {
            Create(Root);
            Check(At("cpu", Root)?.SetCpuLimit(limit.CpuMillis), "the server may use more CPU than its share");
            Check(At("memory", Root)?.SetMemoryLimit(limit.MemoryMiB), "the server may use more memory than its share");
            Create(Primary!);
        }

        Create(Engines);
        Create(Idle);
        Check(At("cpu", Engines)?.SetShares(EngineShares), "engines run at the default weight");
        var lowest = At("cpu", Idle) is { } idle ? idle.SetLowestClass() : "no hierarchy has the cpu controller";
        Check(lowest, "containers compete with the primary for CPU");
        Check(At("io", Idle)?.SetLowestIo(), "containers compete with the primary for its disks");
        if (vmMemoryMiB is { } high)
            KeepMemory(high);
        // An agent that was killed may have left a cap.
        Check(At("cpu", Idle)?.LiftCpuLimit(), "containers may be held to less CPU than they should have");
    }

    /// <summary>Sets over how much memory the VMs together are the first to give some back.</summary>
    public void KeepMemory(int vmMemoryMiB)
    {
        lock (_limits)
            _memoryHighMiB = vmMemoryMiB;
        Check(At("memory", Idle)?.SetMemoryHigh(vmMemoryMiB), "the VMs may take memory that is reserved for the primary");
    }

    /// <summary>
    /// Caps what all containers together may use, in thousandths of a core; null lifts the cap. Answers what is not in force.
    /// </summary>
    public string? CapContainers(int? cpuMillis)
    {
        lock (_limits)
        {
            // Version 1 lets no group have more than the one above it: narrow from below, widen from above.
            var narrower = cpuMillis is { } next && (_cap is not { } before || next < before);
            _cap = cpuMillis;
            var vms = _vmCpuMillis.Keys.Select(vm => new Func<string?>(() => SetVmCpu(vm)));
            var steps = narrower ? vms.Append(SetIdleCpu) : vms.Prepend(SetIdleCpu);
            // Every one is taken, whatever became of the one before.
            return steps.Select(set => set()).ToList().Find(notInForce => notInForce is not null);
        }
    }

    /// <summary>Makes a VM's groups with its limits.</summary>
    public VmGroups PrepareVm(string vm, Capacity capacity)
    {
        Create($"{Engines}/{vm}");
        Create($"{Idle}/{vm}");
        lock (_limits)
        {
            _vmCpuMillis[vm] = capacity.CpuMillis;
            _vmMemoryMiB[vm] = capacity.MemoryMiB;
            Check(SetVmCpu(vm), $"VM {vm} may use more CPU than it has");
        }

        Check(At("memory", $"{Idle}/{vm}")?.SetMemoryLimit(capacity.MemoryMiB), $"VM {vm} may use more memory than it has");
        return new VmGroups(Paths($"{Engines}/{vm}"), $"/{Idle}/{vm}", Paths($"{Idle}/{vm}"));
    }

    /// <summary>Changes the limits of a VM that runs. Answers what is not in force; null when all is.</summary>
    public string? LimitVm(string vm, Capacity capacity)
    {
        lock (_limits)
        {
            _vmCpuMillis[vm] = capacity.CpuMillis;
            var fault = At("memory", $"{Idle}/{vm}")?.SetMemoryLimit(capacity.MemoryMiB);
            if (fault is null)
                _vmMemoryMiB[vm] = capacity.MemoryMiB;
            return fault ?? SetVmCpu(vm);
        }
    }

    /// <summary>Reads back what keeps the VMs behind the primary. Answers what is not in force; null when all is.</summary>
    public string? NotInForce()
    {
        if (At("cpu", Idle) is not { } idle)
            return "no hierarchy has the cpu controller";
        lock (_limits)
        {
            return idle.LowestClassNotInForce()
                ?? At("io", Idle)?.LowestIoNotInForce()
                ?? (_memoryHighMiB is { } high ? At("memory", Idle)?.MemoryHighNotInForce(high) : null)
                ?? _vmMemoryMiB.Select(vm => At("memory", $"{Idle}/{vm.Key}")?.MemoryLimitNotInForce(vm.Value)).FirstOrDefault(fault => fault is not null);
        }
    }

    /// <summary>Processes of a VM, its containers' too.</summary>
    public IReadOnlyList<int> Processes(string vm) =>
        [.. _mounts.SelectMany(mount => Of(mount, vm)).SelectMany(group => group.Processes()).Distinct()];

    /// <summary>Processes of one container of a nested VM.</summary>
    public IReadOnlyList<int> Processes(string vm, string engineId)
    {
        var name = $"{Idle}/{vm}/{engineId}";
        return (At("memory", name) ?? new Cgroup(_mounts[0], name)).Processes();
    }

    /// <summary>Removes a VM's groups, waiting a little for its last processes to be gone.</summary>
    public Task RemoveVmAsync(string vm, CancellationToken cancellation)
    {
        lock (_limits)
        {
            _vmCpuMillis.Remove(vm);
            _vmMemoryMiB.Remove(vm);
        }

        return RemoveAsync([.. _mounts.SelectMany(mount => Of(mount, vm))], cancellation);
    }

    /// <summary>Processes of all VMs' engines and containers.</summary>
    public IReadOnlyList<int> OwnProcesses() =>
        [.. new[] { Engines, Idle }.SelectMany(name => (At("cpu", name) ?? new Cgroup(_mounts[0], name)).Processes())];

    /// <summary>Processes of a group of somebody else's, wherever there is one of that name.</summary>
    public IReadOnlyList<int> ProcessesOf(string name) => [.. _mounts.Select(mount => new Cgroup(mount, name))
        .FirstOrDefault(group => Directory.Exists(group.Path))?.Processes() ?? []];

    /// <summary>The group of a service of the system's service manager, such as <c>system.slice/nginx.service</c>; null while there is none.</summary>
    public string? GroupOfUnit(string unit)
    {
        var mount = _mounts.FirstOrDefault(mount => mount.Controllers.Contains("name=systemd")) ?? _mounts.FirstOrDefault(mount => mount.IsV2);
        var slices = mount is null || !Directory.Exists(mount.Path) ? [] : Directory.EnumerateDirectories(mount.Path, "*.slice");
        var found = slices.SelectMany(slice => Directory.EnumerateDirectories(slice, unit, SearchOption.AllDirectories)).FirstOrDefault();
        return found is null ? null : Path.GetRelativePath(mount!.Path, found);
    }

    /// <summary>Removes the server's groups. A group that holds somebody else's processes (the primary's) stays.</summary>
    public Task RemoveAsync(CancellationToken cancellation)
    {
        string[] names = [.. new[] { Engines, Idle, Primary, Root }.OfType<string>()];
        return RemoveAsync([.. names.SelectMany(name => _mounts.Select(mount => new Cgroup(mount, name)))], cancellation);
    }

    /// <summary>What a group uses.</summary>
    public GroupUsage Usage(string name) => new(
        At("cpuacct", name) ?? At("cpu", name) ?? new Cgroup(_mounts[0], name), At("memory", name) ?? new Cgroup(_mounts[0], name));

    /// <summary>What one container of a nested VM uses.</summary>
    public GroupUsage Usage(string vm, string engineId) => Usage($"{Idle}/{vm}/{engineId}");

    private string? SetVmCpu(string vm) => At("cpu", $"{Idle}/{vm}")?.SetCpuLimit(Math.Min(_vmCpuMillis[vm], _cap ?? int.MaxValue));

    private string? SetIdleCpu() => At("cpu", Idle) is not { } idle
        ? "no hierarchy has the cpu controller"
        : _cap is { } cap ? idle.SetCpuLimit(cap) : idle.LiftCpuLimit();

    private string[] Paths(string name) => [.. Joined().Select(mount => new Cgroup(mount, name).Path)];

    private Cgroup[] Of(CgroupMount mount, string vm) => [new Cgroup(mount, $"{Engines}/{vm}"), new Cgroup(mount, $"{Idle}/{vm}")];

    private void Create(string name)
    {
        foreach (var mount in Joined())
            new Cgroup(mount, name).Create();
    }

    /// <summary>
    /// Hierarchies the engine itself moves to: those that weigh and account, and those by which the system's service manager
    /// tracks processes, so that it does not take the VM for a part of the agent.
    /// </summary>
    private IEnumerable<CgroupMount> Joined() => _mounts.Where(mount => mount.IsV2
        || mount.Controllers.Overlaps(["cpu", "cpuacct", "memory", "pids"])
        || mount.Controllers.Any(controller => controller.StartsWith("name=", StringComparison.Ordinal)));

    private Cgroup? At(string controller, string name) =>
        _mounts.FirstOrDefault(mount => mount.Controllers.Contains(controller)) is { } mount ? new Cgroup(mount, name) : null;

    private async Task RemoveAsync(IReadOnlyList<Cgroup> groups, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < 150; attempt++)
        {
            groups = [.. groups.Where(group => !group.TryRemove())];
            if (groups.Count == 0 || groups.All(group => HoldsStrangers(group)))
                break;
            await Task.Delay(RetryEvery, cancellation);
        }

        foreach (var group in groups)
            _log.LogWarning("Control group {Group} stays: processes {Processes} are in it", group.Path, group.Processes());
    }

    private bool HoldsStrangers(Cgroup group) =>
        Root is not null && (group.Path.EndsWith("/primary", StringComparison.Ordinal) || group.Path.EndsWith(Root, StringComparison.Ordinal))
        && group.Processes().Count > 0;

    private void Check(string? notInForce, string consequence)
    {
        if (notInForce is not null)
            _log.LogWarning("A control group's setting is not in force, so {Consequence}: {Setting}", consequence, notInForce);
    }
}
