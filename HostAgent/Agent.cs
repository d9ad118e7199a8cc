using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Elastic;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Files;
using Hosting.HostAgent.Health;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Logs;
using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Hosting.HostAgent.Vms.Qemu;
using Microsoft.Extensions.Hosting.Systemd;

namespace Hosting.HostAgent;

/// <summary>The agent of one server: puts the parts together and runs them, or takes away what they made.</summary>
/// <param name="settings">What it begins with.</param>
/// <param name="changes">Tells of changed settings until cancelled; null: they never change.</param>
/// <param name="logs">Where it logs.</param>
/// <param name="time">The clock.</param>
internal sealed class Agent(AgentSettings settings, SettingsWatch? changes, ILoggerFactory logs, TimeProvider time)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShrinkEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(2);
    private readonly ILogger _log = logs.CreateLogger("Agent");
    private readonly ServerGroups _groups = new(CgroupMount.OfMachine(), settings.Names.Group, settings.HasShare, logs.CreateLogger("Cgroups"));
    private readonly StartsFirst _startsFirst = new(time);
    private readonly SystemdNotifier _systemd = new();
    private readonly SubnetClaims _subnets = new(SubnetClaims.MachineDirectory);
    private readonly KeptSettings _kept = new(Path.Combine(settings.StateDirectory, "vms"));

    // By these VMs are made from then on; null before a change.
    private volatile AgentSettings? _changed;

    /// <summary>Works until cancelled. VMs and containers stay as they are then.</summary>
    /// <exception cref="VmException">Another agent works on the same state directory.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var alone = await LockAsync(cancellation);
        if (settings.PidFile is { } pidFile)
            AtomicFile.Write(pidFile, System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"), durable: false);
        _groups.Prepare(settings.HasShare ? settings.Capacity : null, settings.VmMemoryMiB);
        using var shrink = time.CreateTimer(_ => Shrink(), null, ShrinkEvery, ShrinkEvery);
        using var board = new StatusBoard();
        using var probe = new HealthProbe();
        var images = new ImageSource(new ImageArchives(settings.ImagesDirectory, logs.CreateLogger("Images")), settings.Registries);
        var control = new ControlPlane(settings.StateDirectory, time, logs.CreateLogger("Hub"));
        control.Restore();
        var vms = new VmFleet(vm => Supervisor(vm, board, images, probe), _kept, control, board, time, logs.CreateLogger("Vms"));
        vms.Open(settings.Vms);
        using var sampler = new ServerSampler(settings, _groups, () => Running(vms.Vms.Where(IsNested)), time);
        var others = OfEngines(vms);
        var priority = new PriorityWatch(_groups, () => vms.Vms, time, logs.CreateLogger("Pressure"));
        var watch = new ServerWatch(settings, _groups, sampler, others, () => vms.Vms, control, priority, board, time, logs.CreateLogger("Pressure"));
        var elastic = new ElasticVms(settings.Capacity, vms, watch, control, time, logs.CreateLogger("Vms"));
        var checks = new PrimaryCheck(settings, _groups, () => vms.Vms, watch, priority, board, time);
        using var readers = new LogReaders(vms.Find, board.Wake, time);
        var hub = new HubClient(settings, vms, board, watch, control, readers, checks, time, logs.CreateLogger("Hub"));
        _log.LogInformation("Agent of server {Region}/{Server} ({Cpu} m CPU, {Memory} MiB) as {Name}",
            settings.Region, settings.Server, settings.Capacity.CpuMillis, settings.Capacity.MemoryMiB, settings.Names.Group);
        if (settings.DiskWriteMiBPerSecond > 0 && BlockDevice.Under(settings.StateDirectory) is null)
            _log.LogWarning("Writes of containers are not limited: {Directory} is on a file system without a disk of its own. Put Agent:StateDirectory on one that has", settings.StateDirectory);
        await RunAllAsync([vms.RunAsync, watch.RunAsync, others.RunAsync, priority.RunAsync, elastic.RunAsync, checks.RunAsync,
            token => changes?.RunAsync(next => Take(next, vms), token) ?? Task.Delay(Timeout.InfiniteTimeSpan, token),
            token => TalkAsync(vms, hub, token)], cancellation);
    }

    /// <summary>Only its VMs change while it runs.</summary>
    private void Take(AgentSettings next, VmFleet vms)
    {
        _changed = settings with { Vms = next.Vms, VmImage = next.VmImage };
        _groups.KeepMemory(next.VmMemoryMiB);
        vms.Want(next.Vms);
    }

    /// <summary>Ends every VM of this agent and removes what it made on the machine, and with <paramref name="purge"/> its data.</summary>
    /// <exception cref="VmException">The agent still runs, or something could not be removed.</exception>
    public async Task TakeDownAsync(bool purge, CancellationToken cancellation)
    {
        using (await LockAsync(cancellation))
        {
            try
            {
                await Task.WhenAll(Known().Select(vm => EndAsync(vm, purge, cancellation)));
            }
            finally
            {
                // A VM that cannot be ended, such as an engine that does not answer, keeps nothing of ours on this machine.
                await _groups.RemoveAsync(cancellation);
            }

            if (settings.PidFile is { } pidFile)
                File.Delete(pidFile);
        }

        if (!purge)
            return;
        if (Directory.Exists(settings.StateDirectory))
            RemoveState();
        await Emulator.ForgetProbeAsync(cancellation);
        await _subnets.RemoveUnusedAsync(cancellation);
    }

    /// <summary>Whether the kernel of this server accounts for its containers.</summary>
    private static bool IsNested(VmSupervisor one) => one.Vm.Driver == VmDriverKind.Nested;

    private static IEnumerable<RunningContainer> Running(IEnumerable<VmSupervisor> vms) => vms.SelectMany(vm => vm.Reconciler.Running());

    private EngineUsage OfEngines(VmFleet vms) => new(
        () => Running(vms.Vms.Where(one => !IsNested(one))),
        (container, cancellation) => vms.Find(container.Vm)?.Reconciler.Engine is { } engine
            ? engine.ReadUsageAsync(container.Id, cancellation) : Task.FromResult<EngineReading?>(null),
        time);

    /// <summary>A restarted agent first looks at what runs: a hello without it would take it out of traffic.</summary>
    private async Task TalkAsync(VmFleet vms, HubClient hub, CancellationToken cancellation)
    {
        await Task.WhenAny(Task.WhenAll(vms.Vms.Select(one => one.Reconciler.Settled)), Task.Delay(SettleDeadline, time, cancellation));
        // From here on it does its work, with or without a control plane.
        _systemd.Notify(ServiceState.Ready);
        await hub.RunAsync(cancellation);
    }

    /// <summary>The memory is the primary's: left alone, the runtime lets garbage of some 20 MiB gather before it looks.</summary>
    private static void Shrink() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private VmSupervisor Supervisor(VmSettings vm, StatusBoard board, ImageSource images, HealthProbe probe)
    {
        var store = new DesiredStore(DirectoryOf(vm.Name), _log);
        var failures = new FailureStore(DirectoryOf(vm.Name), _log);
        var reconciler = new VmReconciler(vm.Name, store, failures, board, images, probe, _startsFirst, time, logs.CreateLogger("Containers"));
        reconciler.Restore();
        return new VmSupervisor(vm, Driver(vm), reconciler, board, time, logs.CreateLogger("Vms"));
    }

    private IVmDriver Driver(VmSettings vm) => vm.Driver switch
    {
        VmDriverKind.Engine => new EngineDriver(settings, vm, time),
        VmDriverKind.Qemu => new QemuDriver(_changed ?? settings, vm, _groups, _subnets, time, logs.CreateLogger("Vms")),
        _ => new NestedDriver(settings, vm, _groups, _subnets, time),
    };

    private async Task EndAsync(VmSettings vm, bool purge, CancellationToken cancellation)
    {
        var driver = Driver(vm);
        await (purge ? driver.PurgeAsync(cancellation) : driver.PowerOffAsync(cancellation));
        _kept.Forget(vm.Name);
    }

    /// <summary>VMs as they were started, those of the configuration, and those of an earlier one that left a directory.</summary>
    private IEnumerable<VmSettings> Known()
    {
        var left = Directory.Exists(DirectoryOf("")) ? Directory.GetDirectories(DirectoryOf("")).Select(path => Path.GetFileName(path)) : [];
        return _kept.Read().Concat(settings.Vms).Concat(left.Select(name => new VmSettings(name, VmDriverKind.Nested, default))).DistinctBy(vm => vm.Name);
    }

    private string DirectoryOf(string vm) => Path.Combine(settings.StateDirectory, "vms", vm);

    private async Task<DirectoryLock> LockAsync(CancellationToken cancellation)
    {
        var path = Path.Combine(settings.StateDirectory, "agent.lock");
        return await DirectoryLock.TakeAsync(path, LockWait, cancellation)
            ?? throw new VmException($"another agent works on {settings.StateDirectory}: end it first.");
    }

    /// <summary>Only what is ours: an operator may have put the directory anywhere.</summary>
    private void RemoveState()
    {
        foreach (var vm in Directory.Exists(DirectoryOf("")) ? Directory.GetDirectories(DirectoryOf("")) : [])
            Directory.Delete(vm, recursive: true);
        var states = Path.Combine(settings.StateDirectory, SavedStates.Folder);
        if (Directory.Exists(states))
            Directory.Delete(states, recursive: true);
        foreach (var file in new[] { "agent.lock", ControlPlane.FileName })
            File.Delete(Path.Combine(settings.StateDirectory, file));
        foreach (var directory in new[] { DirectoryOf(""), settings.StateDirectory })
            RemoveEmpty(directory);
    }

    private static void RemoveEmpty(string directory)
    {
        if (!Directory.Exists(directory) || Directory.EnumerateFileSystemEntries(directory).Any())
            return;
        try
        {
            Directory.Delete(directory);
        }
        catch (IOException)
        {
            // A disk is mounted there: that is not ours.
        }
    }

    /// <summary>The first part that ends takes the others with it, so that the agent is started again rather than half alive.</summary>
    private static async Task RunAllAsync(IReadOnlyList<Func<CancellationToken, Task>> parts, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = parts.Select(part => part(ends.Token)).ToList();
        var first = await Task.WhenAny(running);
        await ends.CancelAsync();
        await Task.WhenAny(Task.WhenAll(running));
        await first;
    }
}
