using System.Diagnostics;
using System.Text.Json;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Files;
using Hosting.HostAgent.Utilization;

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
    private readonly VmSettings _vm;
    private readonly ServerGroups _groups;
    private readonly TimeProvider _time;
    private readonly VmSlot _slot;
    private readonly WriteLimit? _writes;

    public NestedDriver(AgentSettings settings, VmSettings vm, ServerGroups groups, SubnetClaims subnets, TimeProvider time)
    {
        (_vm, _groups, _time) = (vm, groups, time);
        _slot = new VmSlot(settings, vm, groups, subnets, time);
        _writes = WriteLimit.For(settings.StateDirectory, settings.DiskWriteMiBPerSecond);
    }

    /// <summary>What is remembered of a running VM.</summary>
    /// <param name="Init">First process of its namespaces: with it everything ends.</param>
    /// <param name="Engine">The engine.</param>
    /// <param name="Subnet">Index of its subnet.</param>
    private sealed record Running(HostProcess Init, HostProcess Engine, int Subnet);

    private string Record => _slot.FileOf("vm.json");

    private string Log => _slot.FileOf("engine.log");

    public bool KeepsFreedMemory => false;

    public async Task<RunningVm> StartAsync(Capacity offered, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_slot.FileOf("data"));
        return await TryAdoptAsync(offered, cancellation) ?? await StartAnewAsync(offered, cancellation);
    }

    /// <summary>Its memory is what the group of its containers may use.</summary>
    public Task ResizeAsync(Capacity offered, CancellationToken cancellation) =>
        _groups.LimitVm(_vm.Name, offered) is { } notInForce ? throw new VmException(notInForce) : Task.CompletedTask;

    public Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation)
    {
        foreach (var process in engineIds.SelectMany(id => _groups.Processes(_vm.Name, id)))
            HostProcess.Find(process)?.Kill();
        return Task.CompletedTask;
    }

    public Task PowerOffAsync(CancellationToken cancellation)
    {
        ReadRecord()?.Init.Kill();
        return _slot.ClearAsync(["vm.json", "engine.pid", "engine.sock"], cancellation);
    }

    public async Task PurgeAsync(CancellationToken cancellation)
    {
        await PowerOffAsync(cancellation);
        if (Directory.Exists(_slot.Directory))
            Directory.Delete(_slot.Directory, recursive: true);
    }

    public void Tidy() => BoundedLog.Trim(Log);

    private async Task<RunningVm?> TryAdoptAsync(Capacity offered, CancellationToken cancellation)
    {
        if (ReadRecord() is not { } running || !running.Engine.IsAlive || !running.Init.IsAlive)
            return null;
        var network = _slot.Network(running.Subnet);
        if (await _slot.TakeSubnetAsync(cancellation) != running.Subnet)
            return null;
        try
        {
            // The limits may have changed in the configuration.
            _groups.PrepareVm(_vm.Name, offered);
            using var deadline = Deadline.After(AdoptDeadline, cancellation);
            var engine = await ConnectAsync(deadline.Token);
            await _slot.HoldSubnetAsync(running.Engine, cancellation);
            return Up(engine, network, running, offered, adopted: true);
        }
        catch (Exception error) when (error is HttpRequestException or TimeoutException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<RunningVm> StartAnewAsync(Capacity offered, CancellationToken cancellation)
    {
        ReadRecord()?.Init.Kill();
        await _slot.EndProcessesAsync(cancellation);
        await _groups.RemoveVmAsync(_vm.Name, cancellation);
        var subnet = await _slot.TakeSubnetAsync(cancellation);
        var network = _slot.Network(subnet);
        await network.CreateAsync(cancellation);
        var groups = _groups.PrepareVm(_vm.Name, offered);
        PrepareFiles();
        using var shell = Spawn(network, groups);
        var engine = await WaitUntilReadyAsync(shell, cancellation);
        var running = await RememberAsync(shell.Id, subnet, cancellation);
        return Up(engine, network, running, offered, adopted: false);
    }

    private static RunningVm Up(ContainerEngine engine, VmNetwork network, Running running, Capacity offered, bool adopted) =>
        new(engine, network.PublicAddress, network.Ports, adopted, async cancellation =>
        {
            await running.Engine.WaitForExitAsync(cancellation);
            return "its engine ended";
        }) { FirstProcess = running.Init, Has = offered };

    private void PrepareFiles()
    {
        File.Delete(_slot.FileOf("engine.sock"));
        File.WriteAllText(_slot.FileOf("resolv.conf"), Resolver.OfHost());
        _slot.MakeLink();
    }

    private Process Spawn(VmNetwork network, VmGroups groups)
    {
        var start = new ProcessStartInfo("setsid", ["sh", "-c", NestedScript.Outer, "hosting-vm",
            .. NestedScript.Engine(_slot.Directory, groups.ContainersParent)]) { WorkingDirectory = "/" };
        var inherited = start.Environment.Where(pair => pair.Key.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)).ToList();
        start.Environment.Clear();
        foreach (var pair in inherited)
            start.Environment[pair.Key] = pair.Value;
        start.Environment["PATH"] = Commands.SystemPath;
        start.Environment["HOME"] = "/root";
        start.Environment["VM_LOG"] = Log;
        start.Environment["VM_DIRECTORY"] = _slot.Directory;
        start.Environment["VM_NETNS"] = network.NamespaceFile;
        start.Environment["VM_GROUPS"] = string.Join(' ', groups.EngineGroups);
        start.Environment["VM_INNER"] = NestedScript.Inner;
        return Process.Start(start)!;
    }

    private async Task<ContainerEngine> WaitUntilReadyAsync(Process shell, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(ReadyDeadline, cancellation);
        while (true)
        {
            if (shell.HasExited)
                throw new VmException($"the engine ended while it started: {BoundedLog.LastLines(Log, 3)}");
            try
            {
                if (File.Exists(_slot.FileOf("engine.sock")))
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
        ContainerEngine.ConnectAsync(new Uri($"unix://{_slot.Link}/engine.sock"), _slot.Name, cancellation, _writes);

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
        await File.WriteAllTextAsync(_slot.FileOf("engine.pid"), $"{engine}\n", cancellation);
        await _slot.HoldSubnetAsync(second, cancellation);
        return running;
    }

    private Running? ReadRecord() => _slot.Read<Running>("vm.json");
}
