using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Vms;
using Hosting.HostAgent.Vms.Qemu;
using Hosting.Protocol;
using Hosting.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.Benchmarks.Interference;

/// <summary>
/// The agent as it is installed, with two VMs that together have all of the server but the reserve, full of hungry containers. It has no control
/// plane: it goes by what it was told last, which is on its disk.
/// </summary>
internal sealed class HungryVms : IAsyncDisposable
{
    private const string Region = "bench";
    private const string Server = "srv-1";
    private const string Image = "hosting/hello:1";
    private const int MemoryMiB = 768;
    private const string Serve = "busybox httpd -p 8080 -h /www; ";
    private static readonly string[] Names = ["vm-1", "vm-2"];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"hosting-bench-{Environment.ProcessId}");
    private readonly string _driver;
    private readonly int _cpuMillis;
    private Process? _agent;

    private HungryVms(string driver, int cpuMillis) => (_driver, _cpuMillis) = (driver, cpuMillis);

    /// <summary>Where infra/vm-image puts the image that VMs of the driver qemu start from.</summary>
    public static string VmImage => Path.Combine(Checkout.Root, "infra/obj/vm-image");

    /// <summary>Name of the group of all containers.</summary>
    public string Group => new ServerGroups(CgroupMount.OfMachine(), Own.Group, hasShare: false, NullLogger.Instance).Idle;

    private string State => Path.Combine(_directory, "state");

    private Names Own => new(State, Region, Server);

    private string Config => Path.Combine(_directory, "agent.json");

    /// <summary>Starts the agent, and waits until every container runs.</summary>
    /// <param name="driver">What runs the VMs.</param>
    /// <param name="reserve">CPU that they leave to the primary, in percent of the server.</param>
    /// <param name="primaryGroup">Control group of the primary.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<HungryVms> Start(string driver, int reserve, string primaryGroup, CancellationToken cancellation)
    {
        var vms = new HungryVms(driver, Environment.ProcessorCount * 10 * (100 - reserve) / Names.Length);
        try
        {
            await vms.Prepare(primaryGroup);
            vms.Run();
            await vms.AllRun(cancellation);
            return vms;
        }
        catch
        {
            await vms.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the agent anew, which finds its VMs as they are, with another limit of memory.</summary>
    public async Task Restart(double lastResortMemory, CancellationToken cancellation)
    {
        await Stop();
        var config = JsonNode.Parse(await File.ReadAllTextAsync(Config, cancellation))!;
        config["Agent"]!["LastResortMemory"] = lastResortMemory;
        await File.WriteAllTextAsync(Config, config.ToJsonString(), cancellation);
        Run();
        await AllRun(cancellation);
    }

    /// <summary>Whether the agent looks after its VMs or stands still.</summary>
    public Task Watch(bool awake) => Crowd.Signal(awake ? "-CONT" : "-STOP", [_agent!.Id]);

    public async ValueTask DisposeAsync()
    {
        await Stop();
        if (File.Exists(Config))
        {
            using var purge = Launch("purge");
            await purge.WaitForExitAsync();
        }

        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    private async Task Prepare(string primaryGroup)
    {
        var images = Directory.CreateDirectory(Path.Combine(_directory, "images")).FullName;
        using (var build = Process.Start(Path.Combine(Checkout.Root, "infra/samples/hello/build"), [Path.Combine(images, "hello.tar")]))
            await build.WaitForExitAsync();
        foreach (var vm in Names)
            new DesiredStore(Path.Combine(State, "vms", vm), NullLogger.Instance).Write(Wanted(vm));
        // The quota that follows the server's utilization would give back what there is to be harvested: this operator wants all of it.
        await File.WriteAllBytesAsync(Path.Combine(State, ControlPlane.FileName), new Policy { Admit = 1, Evict = 1, EvictAfterSeconds = 3600 }.ToByteArray());
        await File.WriteAllTextAsync(Config, JsonSerializer.Serialize(new
        {
            Agent = new
            {
                Region, Server, Hubs = new[] { "http://127.0.0.1:9" }, StateDirectory = State, ImagesDirectory = images, VmImage, Primary = new { Cgroup = "/" + primaryGroup },
                Vms = Names.Select(name => new Dictionary<string, object> { ["Name"] = name, ["Driver"] = _driver, ["CpuMillis"] = _cpuMillis, ["MemoryMiB"] = MemoryMiB }),
            },
        }));
    }

    private static DesiredVm Wanted(string vm)
    {
        var desired = new DesiredVm { Vm = vm, Version = 1 };
        foreach (var (name, memory, script) in Hunger.All)
        {
            var container = new DesiredContainer
            {
                Id = $"{name}-{vm}", App = name, Revision = 1, Image = Image, Port = 8080, CpuMillis = 100, MemoryMib = memory, StopGraceSeconds = 1,
            };
            container.Command.Add("/bin/sh");
            container.Args.AddRange(["-c", Serve + script]);
            desired.Containers.Add(container);
        }

        return desired;
    }

    private async Task AllRun(CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        var running = 0;
        while (running < Names.Length * Hunger.All.Count)
        {
            if (_agent!.HasExited || Stopwatch.GetElapsedTime(begun) > Patience)
                throw new PreconditionException($"{running} of {Names.Length * Hunger.All.Count} containers run in VMs of the driver {_driver}; the agent's log:\n{Log()}");
            await Task.Delay(LookEvery, cancellation);
            running = 0;
            foreach (var vm in Names)
                running += await Running(vm, cancellation);
        }
    }

    private async Task<int> Running(string vm, CancellationToken cancellation)
    {
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(TimeSpan.FromSeconds(20));
            using var engine = await Engine(vm, deadline.Token);
            return (await engine.ListAsync(deadline.Token)).Count(one => one.Presence == Presence.Running);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException or JsonException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return 0;
        }
    }

    private async Task<ContainerEngine> Engine(string vm, CancellationToken cancellation)
    {
        var directory = Path.Combine(State, "vms", vm);
        if (_driver == "nested")
            return await ContainerEngine.ConnectAsync(new Uri($"unix://{directory}/engine.sock"), Own.Vm(vm), cancellation);
        var subnet = (int)JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(directory, "vm.json"), cancellation))!["Subnet"]!;
        var keys = JsonSerializer.Deserialize<GuestCertificates>(await File.ReadAllBytesAsync(Path.Combine(directory, "keys.json"), cancellation))!;
        var address = new VmNetwork("", "", subnet, null).Address;
        return await ContainerEngine.ConnectAsync(new Uri($"tcp://{address}:{GuestNetwork.EnginePort}"), Own.Vm(vm), keys.Tls, cancellation);
    }

    private void Run() => _agent = Launch("run");

    /// <summary>SIGTERM: its VMs go on.</summary>
    private async Task Stop()
    {
        if (_agent is { HasExited: false })
        {
            await Watch(true);
            using var kill = Process.Start("kill", ["-TERM", _agent.Id.ToString(CultureInfo.InvariantCulture)]);
            await _agent.WaitForExitAsync();
        }

        _agent?.Dispose();
        _agent = null;
    }

    private Process Launch(string command)
    {
        var agent = Path.Combine(Checkout.Root, "HostAgent/bin/Release/net10.0/Hosting.HostAgent.dll");
        // Its output goes to a file by a shell: nobody has to read a pipe while it is measured.
        return Process.Start("sh", ["-c", """exec dotnet "$1" "$2" --config "$3" >>"$4" 2>&1""", "agent", agent, command, Config, Path.Combine(_directory, "agent.log")]);
    }

    private string Log() => File.Exists(Path.Combine(_directory, "agent.log")) ? string.Join('\n', File.ReadLines(Path.Combine(_directory, "agent.log")).TakeLast(10)) : "";
}
