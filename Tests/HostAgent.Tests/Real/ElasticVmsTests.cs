using Hosting.HostAgent.Configuration;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>The real agent, whose VMs follow its configuration while it runs.</summary>
public sealed class ElasticVmsTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-elastic-").FullName;
    private TestHub _hub = null!;
    private AgentProcess _agent = null!;

    private string State => Path.Combine(_directory, "state");

    private Names Names => new(State, "eu-1", "srv-e");

    public async ValueTask InitializeAsync()
    {
        var images = Directory.CreateDirectory(Path.Combine(_directory, "images")).FullName;
        BusyboxImage.Write(Path.Combine(images, "web.tar"), NestedVmFixture.Image);
        _hub = await TestHub.StartAsync();
        _agent = new AgentProcess(Configuration(1), _directory);
    }

    [Fact]
    public async Task Vms_come_change_and_go_when_they_are_empty_while_the_agent_runs()
    {
        _agent.Start();
        await ReadyAsync(1);
        _agent.Configure(Configuration(2, reserve: 1000));
        await ReadyAsync(2);
        await _hub.Message(message => message.Utilization?.Vms is [{ MemoryMib: 524 }, { MemoryMib: 524 }]);
        Assert.Equal(["vm-1", "vm-2"], (await _hub.Message(message => message.Hello?.Vms.Count == 2)).Hello.Vms.Select(vm => vm.Name));

        var web = new DesiredContainer { Id = "web-1", App = "web", Revision = 1, Image = NestedVmFixture.Image, Port = 8080, CpuMillis = 100, MemoryMib = 32, StopGraceSeconds = 1 };
        _hub.Want("vm-2", web);
        await _hub.Container(web.Id, one => one is { State: ContainerState.Running, Healthy: true });
        _agent.Configure(Configuration(-1));
        _agent.Reload();
        await UntilAsync(() => _agent.Output.Contains("Correct it: Agent:VmCount must be 0 to 64; it is -1.", StringComparison.Ordinal), "the error is said");

        // A VM that is to go is told of, keeps what runs in it, also over a restart of its agent, and goes when that is gone.
        _agent.Configure(Configuration(1));
        _agent.Reload();
        await _hub.Message(message => message.Utilization?.Vms.Any(vm => vm is { Vm: "vm-2", Leaving: true, Ready: true }) == true);
        _agent.Kill();
        _hub.Forget();
        _agent.Start();
        await _hub.Message(message => message.Utilization?.Vms.Any(vm => vm is { Vm: "vm-2", Leaving: true, Ready: true }) == true);
        Assert.Equal(ContainerState.Running, (await _hub.Container(web.Id, _ => true)).State);
        _hub.Want("vm-2");
        Assert.Equal("vm-1", Assert.Single((await _hub.Message(message => message.Hello?.Vms.Count == 1)).Hello.Vms).Name);
        Assert.False(Directory.Exists(Path.Combine(State, "vms", "vm-2")) || File.Exists($"/run/netns/{Names.Vm("vm-2")}"), "nothing of it is left");
        Assert.Empty(Directory.GetDirectories("/sys/fs/cgroup/", $"{Names.Group}*", SearchOption.AllDirectories).SelectMany(path => Directory.GetDirectories(path, "vm-2")));
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        await _agent.CommandAsync("purge");
        await _hub.DisposeAsync();
        Assert.False(Directory.Exists(State));
        Directory.Delete(_directory, recursive: true);
    }

    private object Configuration(int vms, int? reserve = null) => new
    {
        Region = "eu-1", Server = "srv-e", Hubs = new[] { _hub.Address }, StateDirectory = State, ImagesDirectory = Path.Combine(_directory, "images"),
        Share = new { CpuMillis = 1000, MemoryMiB = 2048 }, VmCount = vms, Reserve = reserve is null ? null : new { MemoryMiB = reserve },
    };

    private async Task ReadyAsync(int vms)
    {
        try
        {
            await _hub.Message(message => message.Utilization?.Vms.Count(vm => vm.Ready) == vms, 40);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{_agent.Output}", error);
        }
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var attempt = 0; !condition(); attempt++)
        {
            Assert.True(attempt < 400, $"{what}\n{_agent.Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
