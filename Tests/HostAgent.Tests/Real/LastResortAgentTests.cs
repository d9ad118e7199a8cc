using System.Net.Sockets;
using System.Text;
using Hosting.HostAgent.Configuration;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>The real agent where it acts on its own.</summary>
public sealed class LastResortAgentTests : IAsyncLifetime
{
    private const string Vm = "vm-1";
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-resort-").FullName;
    private TestHub _hub = null!;

    public async ValueTask InitializeAsync() => _hub = await TestHub.StartAsync();

    [Fact]
    public async Task What_is_stopped_for_its_memory_has_failed_and_is_not_started_again_by_a_restarted_agent()
    {
        var images = Directory.CreateDirectory(Path.Combine(_directory, "images")).FullName;
        BusyboxImage.Write(Path.Combine(images, "web.tar"), NestedVmFixture.Image);
        // A machine that uses less than that has no agent on it.
        await using var agent = new AgentProcess(new
        {
            Region = "eu-1", Server = "srv-m", Hubs = new[] { _hub.Address }, StateDirectory = Path.Combine(_directory, "state"), ImagesDirectory = images,
            LastResortMemory = 0.001, Vms = new[] { new { Name = Vm, CpuMillis = 1000, MemoryMiB = 256 } },
        }, _directory);
        var web = new DesiredContainer
        {
            Id = "web-1", App = "web", Revision = 1, Image = NestedVmFixture.Image, Port = 8080, CpuMillis = 100, MemoryMib = 32, StopGraceSeconds = 1,
        };
        _hub.Want(Vm, web);
        try
        {
            agent.Start();
            var failed = await _hub.Container(web.Id, one => one.State == ContainerState.Failed);
            Assert.Matches("^stopped by its server: memory 0\\.[0-9]+ over 0\\.00$", failed.Reason);
            agent.Kill();
            _hub.Forget();
            agent.Start();
            Assert.Equal(ContainerState.Failed, (await _hub.Container(web.Id, _ => true)).State);
            await _hub.Message(message => message.Utilization?.Vms.Any(vm => vm.Ready) == true);
            _hub.Want(Vm);
            await _hub.Message(message => message.Utilization is { Usage.Count: 0 });
            Assert.Equal("{}", await UntilAsync(() => File.ReadAllText(Path.Combine(_directory, "state/vms", Vm, "failed.json")), "{}"));
        }
        finally
        {
            await agent.StopAsync();
            await agent.CommandAsync("purge");
        }
    }

    [Fact]
    public async Task It_tells_the_service_manager_that_it_is_ready()
    {
        var path = Path.Combine(_directory, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        await using var agent = new AgentProcess(new
        {
            Region = "eu-1", Server = "srv-n", Hubs = new[] { "http://127.0.0.1:9" }, StateDirectory = Path.Combine(_directory, "ready"),
            Vms = new[] { new { Name = Vm, Driver = "engine", CpuMillis = 1000, MemoryMiB = 256, Address = "127.0.0.1", Endpoint = "unix:///no/such/socket" } },
        }, _directory) { NotifySocket = path };
        try
        {
            agent.Start();
            var buffer = new byte[256];
            var length = await manager.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Contains("READY=1", Encoding.UTF8.GetString(buffer, 0, length));
        }
        finally
        {
            await agent.StopAsync();
            await agent.CommandAsync("power-off");
            // There is no engine to power off; what the agent made on the machine is gone all the same.
            Assert.Empty(Directory.GetDirectories("/sys/fs/cgroup", $"{new Names(Path.Combine(_directory, "ready"), "eu-1", "srv-n").Group}*", SearchOption.AllDirectories));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static async Task<string> UntilAsync(Func<string> read, string expected)
    {
        for (var tries = 0; tries < 250 && read() != expected; tries++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        return read();
    }
}
