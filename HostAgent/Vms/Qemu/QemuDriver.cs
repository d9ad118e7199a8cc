using System.Text.Json;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Files;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>
/// A real VM. Every start resumes the state that was saved right after the first boot, with a copy of its disk. Its
/// emulator with every thread is in the lowest class.
/// </summary>
internal sealed class QemuDriver : IVmDriver
{
    /// <summary>What a VM's kernel and engine take of its memory, in MiB: it has so much more than it offers.</summary>
    public const int GuestMiB = 192;

    /// <summary>The most that a VM takes of the server besides what it offers, in MiB: where it has to be emulated.</summary>
    public const int MostBesideMiB = GuestMiB + 320;

    /// <summary>What the engine of the image speaks, as every Docker does since 20.10.</summary>
    private static readonly Version EngineApi = new(1, 41);

    private const int FirstUser = 1_700_000_000;
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan AdoptDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilentFor = TimeSpan.FromSeconds(60);
    private readonly AgentSettings _settings;
    private readonly VmSettings _vm;
    private readonly ServerGroups _groups;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly VmSlot _slot;
    private readonly SavedStates _states;

    public QemuDriver(AgentSettings settings, VmSettings vm, ServerGroups groups, SubnetClaims subnets, TimeProvider time, ILogger log)
    {
        (_settings, _vm, _groups, _time, _log) = (settings, vm, groups, time, log);
        _slot = new VmSlot(settings, vm, groups, subnets, time);
        _states = new SavedStates(Path.Combine(settings.StateDirectory, SavedStates.Folder));
    }

    /// <summary>What is remembered of a running VM.</summary>
    private sealed record Running(HostProcess Process, int Subnet, int OverheadMiB);

    private string Record => _slot.FileOf("vm.json");

    private string Keys => _slot.FileOf("keys.json");

    private string Console => _slot.FileOf("console.log");

    public bool KeepsFreedMemory => true;

    public async Task<RunningVm> StartAsync(Capacity offered, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_slot.Directory);
        return await TryAdoptAsync(cancellation) ?? await StartAnewAsync(cancellation);
    }

    /// <summary>By its balloon: what the VM's kernel puts into it, the server has.</summary>
    public async Task ResizeAsync(Capacity offered, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(PingEvery, cancellation);
        try
        {
            using var qmp = await QmpClient.ConnectAsync(Path.Combine(_slot.Link, "qmp.sock"), deadline.Token);
            await qmp.ExecuteAsync("balloon", new { value = (offered.MemoryMiB + GuestMiB) * 1024L * 1024L }, deadline.Token);
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new VmException($"the emulator does not answer: {error.Message}");
        }
    }

    /// <summary>By its console.</summary>
    public async Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(PingEvery, cancellation);
        try
        {
            using var console = await GuestConsole.ConnectAsync(Path.Combine(_slot.Link, "control.sock"), deadline.Token);
            await console.KillAsync(engineIds, deadline.Token);
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new VmException($"it does not listen: {error.Message}");
        }
    }

    /// <summary>Asks it to end its containers and itself, and does not wait for ever.</summary>
    public async Task PowerOffAsync(CancellationToken cancellation)
    {
        if (ReadRecord() is { } running && running.Process.IsAlive)
            await AskToStopAsync(running.Process, cancellation);
        await ClearAsync(cancellation);
    }

    public async Task PurgeAsync(CancellationToken cancellation)
    {
        await ClearAsync(cancellation);
        if (Directory.Exists(_slot.Directory))
            Directory.Delete(_slot.Directory, recursive: true);
    }

    /// <summary>Keeps logs short and the VM's clock right: an emulated one drifts.</summary>
    public void Tidy()
    {
        BoundedLog.Trim(Console);
        BoundedLog.Trim(_slot.FileOf("emulator.log"));
        _ = TellTimeAsync();
    }

    private async Task<RunningVm?> TryAdoptAsync(CancellationToken cancellation)
    {
        if (ReadRecord() is not { } running || !running.Process.IsAlive || await _slot.TakeSubnetAsync(cancellation) != running.Subnet)
            return null;
        try
        {
            using var deadline = Deadline.After(AdoptDeadline, cancellation);
            var engine = await ConnectAsync(_slot.Network(running.Subnet), JsonSerializer.Deserialize<GuestCertificates>(await File.ReadAllBytesAsync(Keys, deadline.Token))!, deadline.Token);
            // The limits may have changed in the configuration.
            _groups.PrepareVm(_vm.Name, Limits(running.OverheadMiB));
            await _slot.HoldSubnetAsync(running.Process, cancellation);
            return Up(engine, running, adopted: true);
        }
        catch (Exception error) when (error is HttpRequestException or TimeoutException or IOException or JsonException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>A start that fails leaves nothing behind.</summary>
    private async Task<RunningVm> StartAnewAsync(CancellationToken cancellation)
    {
        var laps = new Laps(_time);
        var image = VmImage.Open(_settings.VmImage ?? throw new VmException("there is no image of a VM: build one with 'infra/vm-image DIRECTORY' and set Agent:VmImage."));
        var finding = Emulator.FindAsync(image, cancellation);
        await Task.WhenAll(finding, ClearAsync(cancellation));
        var host = await finding;
        laps.Lap("clear");
        if (host.WhyNoKvm is { } reason)
            _log.LogWarning("VM {Vm} is emulated, far slower than on the hardware: {Reason}", _vm.Name, reason);
        try
        {
            return await StartAnewAsync(new Machine(image, host, (_vm.Capacity.CpuMillis + 999) / 1000, _vm.Capacity.MemoryMiB + GuestMiB, _vm.DiskMiB) { DiskWriteMiBPerSecond = _settings.DiskWriteMiBPerSecond }, laps, cancellation);
        }
        catch (Exception error)
        {
            using var soon = new CancellationTokenSource(StopDeadline);
            await ClearAsync(soon.Token);
            throw error is OperationCanceledException && !cancellation.IsCancellationRequested
                ? new VmException($"it did not start within {StartDeadline.TotalSeconds:0} s: {LastWords()}")
                : error is VmException ? new VmException($"{error.Message}{(LastWords() is { Length: > 0 } words ? $": {words}" : "")}") : error;
        }
    }

    private async Task<RunningVm> StartAnewAsync(Machine machine, Laps laps, CancellationToken cancellation)
    {
        var subnet = await _slot.TakeSubnetAsync(cancellation);
        var network = _slot.Network(subnet);
        await network.CreateAsync(cancellation);
        await GuestNetwork.AddAsync(network, cancellation);
        var groups = _groups.PrepareVm(_vm.Name, Limits(machine.Host.OverheadMiB));
        _slot.MakeLink();
        laps.Lap("network");
        var spawn = new QemuProcess(machine, _slot, network, groups);
        var state = await _states.GetAsync(machine, to => new FirstBoot(machine, _slot, spawn, _time).SaveAsync(to, cancellation), cancellation);
        laps.Lap("state");
        try
        {
            using var deadline = Deadline.After(StartDeadline, cancellation);
            var up = await ResumeAsync(spawn, state, network, subnet, machine.Host.OverheadMiB, laps, deadline.Token);
            _log.LogInformation("VM {Vm} is resumed; milliseconds: {Laps}", _vm.Name, laps);
            return up;
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            SavedStates.Forget(state);
            throw;
        }
    }

    private async Task<RunningVm> ResumeAsync(QemuProcess spawn, SavedState state, VmNetwork network, int subnet, int overheadMiB, Laps laps, CancellationToken cancellation)
    {
        await Commands.RunAsync("cp", ["--sparse=always", "--reflink=auto", state.Data, _slot.FileOf("data.img")], null, cancellation);
        laps.Lap("disk");
        var running = new Running(spawn.Resume(state, FirstUser + subnet), subnet, overheadMiB);
        AtomicFile.Write(Record, JsonSerializer.SerializeToUtf8Bytes(running), durable: false);
        await _slot.HoldSubnetAsync(running.Process, cancellation);
        // While the emulator reads its memory.
        var certificates = GuestCertificates.Create(_slot.Name, _time.GetUtcNow());
        WriteKeys(certificates);
        using (var qmp = await spawn.ConnectAsync(running.Process, QmpClient.ConnectAsync, "qmp.sock", cancellation))
            await QemuProcess.ContinueAsync(qmp, _time, cancellation);
        laps.Lap("memory");
        using (var console = await GuestConsole.ConnectAsync(spawn.Socket("control.sock"), cancellation))
            await console.AdmitAsync(certificates, Resolver.OfHost(), _time.GetUtcNow(), cancellation);
        laps.Lap("admission");
        var engine = await ConnectAsync(network, certificates, cancellation);
        laps.Lap("engine");
        return Up(engine, running, adopted: false);
    }

    private RunningVm Up(ContainerEngine engine, Running running, bool adopted)
    {
        var network = _slot.Network(running.Subnet);
        return new RunningVm(engine, network.PublicAddress, network.Ports, adopted, token => WaitForEndAsync(engine, running.Process, token))
        {
            FirstProcess = running.Process,
            // It was resumed whole; how much of one that ran before is in its balloon is not known.
            Has = adopted ? default : _vm.Capacity,
        };
    }

    /// <summary>The end of its process is noticed at once; an engine that is silent for long is the end too.</summary>
    private async Task<string> WaitForEndAsync(ContainerEngine engine, HostProcess process, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var exit = process.WaitForExitAsync(ends.Token);
        var silence = WaitForSilenceAsync(engine, ends.Token);
        var first = await Task.WhenAny(exit, silence);
        await ends.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        return first == exit ? $"its machine ended {LastWords()}".TrimEnd() : $"its engine did not answer for {SilentFor.TotalSeconds:0} s";
    }

    private async Task WaitForSilenceAsync(ContainerEngine engine, CancellationToken cancellation)
    {
        for (var heard = _time.GetTimestamp(); _time.GetElapsedTime(heard) < SilentFor;)
        {
            await Task.Delay(PingEvery, _time, cancellation);
            if (await engine.PingAsync(cancellation))
                heard = _time.GetTimestamp();
        }
    }

    private Task<ContainerEngine> ConnectAsync(VmNetwork network, GuestCertificates certificates, CancellationToken cancellation) =>
        ContainerEngine.ConnectAsync(new Uri($"tcp://{network.Address}:{GuestNetwork.EnginePort}"), _slot.Name, certificates.Tls(), EngineApi, cancellation);

    private async Task AskToStopAsync(HostProcess process, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(StopDeadline, cancellation);
        try
        {
            using var console = await GuestConsole.ConnectAsync(Path.Combine(_slot.Link, "control.sock"), deadline.Token);
            await console.AskToStopAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (Exception error) when (error is VmException or IOException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            _log.LogWarning("VM {Vm} does not end by itself ({Reason}): its power is cut", _vm.Name, error.Message);
        }
    }

    private async Task TellTimeAsync()
    {
        if (ReadRecord() is not { } running || !running.Process.IsAlive)
            return;
        using var deadline = new CancellationTokenSource(PingEvery);
        try
        {
            using var console = await GuestConsole.ConnectAsync(Path.Combine(_slot.Link, "control.sock"), deadline.Token);
            await console.TellTimeAsync(_time.GetUtcNow(), deadline.Token);
        }
        catch (Exception error) when (error is VmException or IOException or OperationCanceledException)
        {
            // It is told again in a moment.
        }
    }

    private Task ClearAsync(CancellationToken cancellation) =>
        _slot.ClearAsync(["vm.json", "keys.json", "data.img", "qmp.sock", "control.sock"], cancellation);

    private Capacity Limits(int overheadMiB) => _vm.Capacity with { MemoryMiB = _vm.Capacity.MemoryMiB + GuestMiB + overheadMiB };

    private string LastWords() => BoundedLog.LastLines(_slot.FileOf("emulator.log"), 2);

    /// <summary>Readable to nobody else.</summary>
    private void WriteKeys(GuestCertificates certificates)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException();
        File.Delete(Keys);
        using var file = new FileStream(Keys, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        JsonSerializer.Serialize(file, certificates);
    }

    private Running? ReadRecord() => _slot.Read<Running>("vm.json");
}
