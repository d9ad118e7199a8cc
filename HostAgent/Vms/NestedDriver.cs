using System.Diagnostics;
using System.Text.Json;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Vms;

/// <summary>
/// A VM that is a container engine of its own in namespaces and control groups of its own. Up in about a second; it keeps
/// containers apart from the server's primary, but it is no security boundary.
/// </summary>
internal sealed class NestedDriver : IVmDriver
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReadyCheckEvery = TimeSpan.FromMilliseconds(10);
    /// <summary>Long, as giving up ends every container in it: an engine on a busy server may be slow to answer.</summary>
    private static readonly TimeSpan AdoptDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(15);
    private readonly AgentSettings _settings;
    private readonly VmSettings _vm;
    private readonly ServerGroups _groups;
    private readonly SubnetClaims _subnets;
    private readonly TimeProvider _time;
    private readonly string _directory;
    private readonly string _name;

    public NestedDriver(AgentSettings settings, VmSettings vm, ServerGroups groups, SubnetClaims subnets, TimeProvider time)
    {
        (_settings, _vm, _groups, _subnets, _time) = (settings, vm, groups, subnets, time);
        _directory = Path.Combine(settings.StateDirectory, "vms", vm.Name);
        _name = settings.Names.Vm(vm.Name);
    }

    /// <summary>What is remembered of a running VM.</summary>
    /// <param name="Init">First process of its namespaces: with it everything ends.</param>
    /// <param name="Engine">The engine.</param>
    /// <param name="Subnet">Index of its subnet.</param>
    private sealed record Running(HostProcess Init, HostProcess Engine, int Subnet);

    private string Record => Path.Combine(_directory, "vm.json");

    private string Log => Path.Combine(_directory, "engine.log");

    /// <summary>A short way to the VM's directory: a socket's path may have 107 characters.</summary>
    private string Link => Path.Combine(SubnetClaims.MachineDirectory, _name);

    private string Veth => _settings.Names.Veth(_vm.Name);

    public async Task<RunningVm> StartAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(_directory, "data"));
        return await TryAdoptAsync(cancellation) ?? await StartAnewAsync(cancellation);
    }

    public async Task PowerOffAsync(CancellationToken cancellation)
    {
        await EndProcessesAsync(cancellation);
        await VmNetwork.RemoveAsync(_name, Veth, cancellation);
        await _groups.RemoveVmAsync(_vm.Name, cancellation);
        string[] files = Directory.Exists(_directory) ? [Record, Path.Combine(_directory, "engine.pid"), Path.Combine(_directory, "engine.sock")] : [];
        foreach (var file in files.Append(Link))
            File.Delete(file);
        await _subnets.ReleaseAsync(_name, cancellation);
    }

    public async Task PurgeAsync(CancellationToken cancellation)
    {
        await PowerOffAsync(cancellation);
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    public void Tidy() => BoundedLog.Trim(Log);

    private async Task<RunningVm?> TryAdoptAsync(CancellationToken cancellation)
    {
        if (ReadRecord() is not { } running || !running.Engine.IsAlive || !running.Init.IsAlive)
            return null;
        var network = new VmNetwork(_name, Veth, running.Subnet, _settings.AdvertiseAddress);
        if (await TakeSubnetAsync(cancellation) != running.Subnet)
            return null;
        try
        {
            // The limits may have changed in the configuration.
            _groups.PrepareVm(_vm.Name, _vm.Capacity);
            using var deadline = Deadline(AdoptDeadline, cancellation);
            var engine = await ConnectAsync(deadline.Token);
            await HoldSubnetAsync(running.Engine, cancellation);
            return Up(engine, network, running, adopted: true);
        }
        catch (Exception error) when (error is HttpRequestException or TimeoutException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<RunningVm> StartAnewAsync(CancellationToken cancellation)
    {
        await EndProcessesAsync(cancellation);
        await _groups.RemoveVmAsync(_vm.Name, cancellation);
        var subnet = await TakeSubnetAsync(cancellation);
        var network = new VmNetwork(_name, Veth, subnet, _settings.AdvertiseAddress);
        await network.CreateAsync(cancellation);
        var groups = _groups.PrepareVm(_vm.Name, _vm.Capacity);
        PrepareFiles();
        using var shell = Spawn(network, groups);
        var engine = await WaitUntilReadyAsync(shell, cancellation);
        var running = await RememberAsync(shell.Id, subnet, cancellation);
        return Up(engine, network, running, adopted: false);
    }

    private static RunningVm Up(ContainerEngine engine, VmNetwork network, Running running, bool adopted) =>
        new(engine, network.PublicAddress, network.Ports, adopted, async cancellation =>
        {
            await running.Engine.WaitForExitAsync(cancellation);
            return "its engine ended";
        });

    private void PrepareFiles()
    {
        File.Delete(Path.Combine(_directory, "engine.sock"));
        File.WriteAllText(Path.Combine(_directory, "resolv.conf"), NestedScript.Resolver());
        File.Delete(Link);
        File.CreateSymbolicLink(Link, _directory);
    }

    private Process Spawn(VmNetwork network, VmGroups groups)
    {
        var start = new ProcessStartInfo("setsid", ["sh", "-c", NestedScript.Outer, "hosting-vm",
            .. NestedScript.Engine(_directory, groups.ContainersParent)]) { WorkingDirectory = "/" };
        var inherited = start.Environment.Where(pair => pair.Key.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)).ToList();
        start.Environment.Clear();
        foreach (var pair in inherited)
            start.Environment[pair.Key] = pair.Value;
        start.Environment["PATH"] = Commands.SystemPath;
        start.Environment["HOME"] = "/root";
        start.Environment["VM_LOG"] = Log;
        start.Environment["VM_DIRECTORY"] = _directory;
        start.Environment["VM_NETNS"] = network.NamespaceFile;
        start.Environment["VM_GROUPS"] = string.Join(' ', groups.EngineGroups);
        start.Environment["VM_INNER"] = NestedScript.Inner;
        return Process.Start(start)!;
    }

    private async Task<ContainerEngine> WaitUntilReadyAsync(Process shell, CancellationToken cancellation)
    {
        using var deadline = Deadline(ReadyDeadline, cancellation);
        while (true)
        {
            if (shell.HasExited)
                throw new VmException($"the engine ended while it started: {BoundedLog.LastLines(Log, 3)}");
            try
            {
                if (File.Exists(Path.Combine(_directory, "engine.sock")))
                    return await ConnectAsync(deadline.Token);
                await Task.Delay(ReadyCheckEvery, _time, deadline.Token);
            }
            catch (HttpRequestException)
            {
                await Task.Delay(ReadyCheckEvery, _time, cancellation);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new VmException($"the engine did not answer within {ReadyDeadline.TotalSeconds:0} s: {BoundedLog.LastLines(Log, 3)}");
            }
        }
    }

    private Task<ContainerEngine> ConnectAsync(CancellationToken cancellation) =>
        ContainerEngine.ConnectAsync(new Uri($"unix://{Link}/engine.sock"), _name, cancellation);

    /// <summary>Finds init (the one child of the process we started) and the engine (init's child), and writes them down.</summary>
    private async Task<Running> RememberAsync(int shell, int subnet, CancellationToken cancellation)
    {
        var processes = _groups.Processes(_vm.Name).Select(id => (Id: id, About: HostProcess.Describe(id))).ToList();
        var init = processes.FirstOrDefault(process => process.About?.Parent == shell).Id;
        var engine = processes.FirstOrDefault(process => process.About?.Parent == init && process.About?.Name == "dockerd").Id;
        if (init == 0 || engine == 0 || HostProcess.Find(init) is not { } first || HostProcess.Find(engine) is not { } second)
            throw new VmException($"the engine ended right after it started: {BoundedLog.LastLines(Log, 3)}");
        var running = new Running(first, second, subnet);
        AtomicFile.Write(Record, JsonSerializer.SerializeToUtf8Bytes(running), durable: false);
        await File.WriteAllTextAsync(Path.Combine(_directory, "engine.pid"), $"{engine}\n", cancellation);
        await HoldSubnetAsync(second, cancellation);
        return running;
    }

    private Running? ReadRecord()
    {
        try
        {
            return JsonSerializer.Deserialize<Running>(File.ReadAllBytes(Record));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Ends whatever is in the VM's control groups: also what an agent started that died before it could write it down.</summary>
    private async Task EndProcessesAsync(CancellationToken cancellation)
    {
        ReadRecord()?.Init.Kill();
        using var deadline = Deadline(EndDeadline, cancellation);
        while (_groups.Processes(_vm.Name) is { Count: > 0 } left)
        {
            foreach (var id in left)
                HostProcess.Find(id)?.Kill();
            if (deadline.IsCancellationRequested)
                throw new VmException($"processes {string.Join(", ", left)} of VM {_vm.Name} do not end.");
            await Task.Delay(ReadyCheckEvery, _time, cancellation);
        }
    }

    private Task<int> TakeSubnetAsync(CancellationToken cancellation) => _subnets.TakeAsync(
        Claim([Self]), other => VmNetwork.RemoveAsync(other.Owner, other.Veth, cancellation), cancellation);

    private Task HoldSubnetAsync(HostProcess engine, CancellationToken cancellation) => _subnets.HoldAsync(Claim([Self, engine]), cancellation);

    private static HostProcess Self => HostProcess.Find(Environment.ProcessId)!;

    private SubnetClaims.Claim Claim(IReadOnlyList<HostProcess> holders) => new(_name, Veth, holders);

    private static CancellationTokenSource Deadline(TimeSpan after, CancellationToken cancellation)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        source.CancelAfter(after);
        return source;
    }
}
