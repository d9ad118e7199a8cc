using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Hosting.HostAgent.Configuration;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>One agent process with one real VM, booted once; everything is purged at the end. It has the time it needs: CI emulates it.</summary>
public sealed class QemuVmFixture : IAsyncLifetime
{
    public const string Vm = "vm-1";
    public const int MemoryMiB = 128;
    public const double Patience = 240;
    private static readonly string Repository = typeof(QemuVmFixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(one => one.Key == "Repository").Value!;

    public static string Image => Path.Combine(Repository, "infra/obj/vm-image");

    /// <summary>What builds it.</summary>
    public static string Command => Path.Combine(Repository, "infra/vm-image");

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("hosting-qemu-").FullName;

    public TestHub Hub { get; private set; } = null!;

    public AgentProcess Agent { get; private set; } = null!;

    public string StateDirectory => Path.Combine(Directory, "state");

    internal Names Names => new(StateDirectory, "eu-1", "srv-q");

    public TimeSpan ReadyAfter { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(Path.Combine(Image, "manifest")), $"There is no image: ./infra/vm-image {Image}");
        // One first boot, which takes long, is enough for all tests of a checkout.
        System.IO.Directory.CreateDirectory(StateDirectory);
        System.IO.Directory.CreateSymbolicLink(Path.Combine(StateDirectory, "vm-states"), System.IO.Directory.CreateDirectory(Path.Combine(Repository, "infra/obj/vm-states")).FullName);
        var images = System.IO.Directory.CreateDirectory(Path.Combine(Directory, "images")).FullName;
        BusyboxImage.Write(Path.Combine(images, "web.tar"), NestedVmFixture.Image);
        // An emulated VM uses what there is: this server may be full, and has no primary to mind.
        Hub = await TestHub.StartAsync(policy: new Policy { Admit = 1, Evict = 1, EvictAfterSeconds = 60 });
        Agent = new AgentProcess(Configuration(lastResortMemory: 0.97), Directory);
        var watch = Stopwatch.StartNew();
        Agent.Start();
        await ReadyAsync();
        ReadyAfter = watch.Elapsed;
    }

    /// <summary>Of an agent that acts by itself when so much of its server's memory is in use.</summary>
    public object Configuration(double lastResortMemory) => new
    {
        Region = "eu-1", Server = "srv-q", Hubs = new[] { Hub.Address }, StateDirectory, ImagesDirectory = Path.Combine(Directory, "images"), VmImage = Image,
        Primary = new { Processes = new[] { "no-such-program" } }, LastResortMemory = lastResortMemory,
        // A server of its own: the VM is in the lowest class there, and not behind everything else on this machine.
        Share = new { CpuMillis = Environment.ProcessorCount * 1000, MemoryMiB = 2048 },
        Vms = new[] { new { Name = Vm, Driver = "qemu", CpuMillis = 2000, MemoryMiB, DiskMiB = 1024 } },
    };

    public Task ReadyAsync() => WithLogsAsync(Hub.Message(message => message.Utilization?.Vms.Any(vm => vm.Ready) == true, Patience));

    /// <summary>A failure shows what the agent and the VM said.</summary>
    public async Task<T> WithLogsAsync<T>(Task<T> awaited)
    {
        try
        {
            return await awaited;
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{Agent.Output}\n{Log("console.log")}\n{Log("emulator.log")}", error);
        }
    }

    public int EmulatorPid() =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(StateDirectory, "vms", Vm, "vm.json"))).RootElement.GetProperty("Process").GetProperty("Id").GetInt32();

    public async ValueTask DisposeAsync()
    {
        if (Agent is not null)
        {
            await Agent.DisposeAsync();
            await Agent.CommandAsync("purge");
            await Hub.DisposeAsync();
            Assert.False(System.IO.Directory.Exists(StateDirectory), "the state is purged");
            Assert.Empty(NestedVmFixture.Shell("pgrep", "-f", Names.Vm(Vm)));
            Assert.Empty(System.IO.Directory.GetDirectories("/sys/fs/cgroup", $"{Names.Group}*", SearchOption.AllDirectories));
            Assert.False(File.Exists($"/run/netns/{Names.Vm(Vm)}"), "the network is removed");
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private string Log(string name) => Path.Combine(StateDirectory, "vms", Vm, name) is var path && File.Exists(path) ? File.ReadAllText(path) : "";
}
