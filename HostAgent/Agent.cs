using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
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
internal sealed class Agent(AgentSettings settings, ILoggerFactory logs, TimeProvider time)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShrinkEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(2);
    private readonly ILogger _log = logs.CreateLogger("Agent");
    private readonly ServerGroups _groups = new(CgroupMount.OfMachine(), settings.Names.Group, settings.HasShare, logs.CreateLogger("Cgroups"));
    private readonly StartsFirst _startsFirst = new(time);
    private readonly SystemdNotifier _systemd = new();
    private readonly SubnetClaims _subnets = new(SubnetClaims.MachineDirectory);

    /// <summary>Works until cancelled. VMs and containers stay as they are then.</summary>
    /// <exception cref="VmException">Another agent works on the same state directory.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var alone = await LockAsync(cancellation);
        if (settings.PidFile is { } pidFile)
            AtomicFile.Write(pidFile, System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"), durable: false);
        _groups.Prepare(settings.HasShare ? settings.Capacity : null);
        using var shrink = time.CreateTimer(_ => Shrink(), null, ShrinkEvery, ShrinkEvery);
        using var board = new StatusBoard();
        using var probe = new HealthProbe();
        var images = new ImageSource(new ImageArchives(settings.ImagesDirectory, logs.CreateLogger("Images")), settings.Registries);
        var vms = settings.Vms.Select(vm => Supervisor(vm, board, images, probe)).ToList();
        var control = new ControlPlane(settings.StateDirectory, time, logs.CreateLogger("Hub"));
        control.Restore();
        using var sampler = new ServerSampler(settings, _groups, () => Reconcilers(Nested(vms)).SelectMany(vm => vm.Running()), time);
        var others = OfEngines([.. vms.Except(Nested(vms)).Select(vm => vm.Reconciler)]);
        var priority = new PriorityWatch(_groups, vms, time, logs.CreateLogger("Pressure"));
        var watch = new ServerWatch(
            settings, _groups, sampler, others, [.. Reconcilers(Nested(vms))], control, priority, board, time, logs.CreateLogger("Pressure"));
        using var readers = new LogReaders(vms, board.Wake, time);
        var hub = new HubClient(settings, vms, board, watch, control, readers, time, logs.CreateLogger("Hub"));
        _log.LogInformation("Agent of server {Region}/{Server} ({Cpu} m CPU, {Memory} MiB) as {Name}",
            settings.Region, settings.Server, settings.Capacity.CpuMillis, settings.Capacity.MemoryMiB, settings.Names.Group);
        await RunAllAsync([.. vms.Select<VmSupervisor, Func<CancellationToken, Task>>(vm => vm.RunAsync), watch.RunAsync, others.RunAsync, priority.RunAsync,
            token => TalkAsync(vms, hub, token)], cancellation);
    }

    /// <summary>Ends every VM of this agent and removes what it made on the machine, and with <paramref name="purge"/> its data.</summary>
    /// <exception cref="VmException">The agent still runs, or something could not be removed.</exception>
    public async Task TakeDownAsync(bool purge, CancellationToken cancellation)
    {
        using (await LockAsync(cancellation))
        {
            try
            {
                await Task.WhenAll(Drivers().Select(driver => purge ? driver.PurgeAsync(cancellation) : driver.PowerOffAsync(cancellation)));
            }
            finally
            {
                // A VM that cannot be ended, such as an engine that does not answer, keeps nothing of ours on this machine.
                await _groups.RemoveAsync(cancellation);
            }

            if (settings.PidFile is { } pidFile)
                File.Delete(pidFile);
        }

        if (purge && Directory.Exists(settings.StateDirectory))
            RemoveState();
    }

    /// <summary>Containers that the kernel of this server accounts for.</summary>
    private static IEnumerable<VmSupervisor> Nested(IEnumerable<VmSupervisor> vms) => vms.Where(one => one.Vm.Driver == VmDriverKind.Nested);

    private static IEnumerable<VmReconciler> Reconcilers(IEnumerable<VmSupervisor> vms) => vms.Select(one => one.Reconciler);

    private EngineUsage OfEngines(IReadOnlyList<VmReconciler> vms) => new(
        () => vms.SelectMany(vm => vm.Running()),
        (container, cancellation) => vms.First(vm => vm.Name == container.Vm).Engine is { } engine
            ? engine.ReadUsageAsync(container.Id, cancellation) : Task.FromResult<EngineReading?>(null),
        time);

    /// <summary>A restarted agent first looks at what runs: a hello without it would take it out of traffic.</summary>
    private async Task TalkAsync(IReadOnlyList<VmSupervisor> vms, HubClient hub, CancellationToken cancellation)
    {
        await Task.WhenAny(Task.WhenAll(vms.Select(one => one.Reconciler.Settled)), Task.Delay(SettleDeadline, time, cancellation));
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
        VmDriverKind.Qemu => new QemuDriver(settings, vm, _groups, _subnets, time, logs.CreateLogger("Vms")),
        _ => new NestedDriver(settings, vm, _groups, _subnets, time),
    };

    /// <summary>VMs of the configuration, and those of an earlier one that left a directory.</summary>
    private IEnumerable<IVmDriver> Drivers()
    {
        var directory = Path.Combine(settings.StateDirectory, "vms");
        var left = Directory.Exists(directory) ? Directory.GetDirectories(directory).Select(path => Path.GetFileName(path)) : [];
        var names = settings.Vms.Select(vm => vm.Name).ToHashSet();
        return settings.Vms.Concat(left.Where(name => !names.Contains(name)).Select(name => new VmSettings(name, VmDriverKind.Nested, default))).Select(Driver);
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
