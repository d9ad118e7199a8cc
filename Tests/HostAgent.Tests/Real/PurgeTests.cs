using Hosting.HostAgent.Configuration;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>What an agent made on the machine can be taken away whole.</summary>
public sealed class PurgeTests
{
    [Fact]
    public async Task Power_off_keeps_the_data_and_purge_leaves_nothing()
    {
        var directory = Directory.CreateTempSubdirectory("hosting-purge-").FullName;
        var state = Path.Combine(directory, "state");
        var names = new Names(state, "eu-1", "srv-2");
        await using var hub = await TestHub.StartAsync();
        await using var agent = new AgentProcess(new
        {
            Region = "eu-1", Server = "srv-2", Hubs = new[] { hub.Address }, StateDirectory = state, PidFile = Path.Combine(directory, "agent.pid"),
            Share = new { CpuMillis = 500, MemoryMiB = 512 }, AdvertiseAddress = "127.0.0.1",
        }, directory);
        agent.Start();
        await hub.Message(message => message.Utilization?.Vms.Count(vm => vm.Ready) == 2);
        Assert.Equal(500, (await hub.Message(message => message.Hello is not null)).Hello.CpuMillis);
        Assert.Equal($"{agent.Id}", File.ReadAllText(Path.Combine(directory, "agent.pid")).Trim());
        Assert.NotEmpty(Traces(names));

        Assert.Equal(0, await agent.StopAsync());
        Assert.False(File.Exists(Path.Combine(directory, "agent.pid")));
        Assert.NotEmpty(NestedVmFixture.Shell("pgrep", "-f", state));
        Assert.Equal(0, await agent.CommandAsync("power-off"));
        Assert.Empty(Traces(names));
        Assert.Empty(NestedVmFixture.Shell("pgrep", "-f", state));
        Assert.True(Directory.Exists(Path.Combine(state, "vms", "vm-1", "data")));

        Assert.Equal(0, await agent.CommandAsync("purge"));
        Assert.Equal(0, await agent.CommandAsync("purge"));
        Assert.False(Directory.Exists(state));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_wrong_configuration_ends_with_code_2_and_every_error()
    {
        var directory = Directory.CreateTempSubdirectory("hosting-wrong-").FullName;
        await using var agent = new AgentProcess(new { Region = "EU", Hubs = new[] { "x" } }, directory);
        Assert.Equal(2, await agent.CommandAsync("run"));
        Assert.All(new[] { "Agent:Region", "Agent:Server", "Agent:Hubs", "Agent:StateDirectory" }, key => Assert.Contains(key, agent.Output));
        Directory.Delete(directory, recursive: true);
    }

    private static List<string> Traces(Names names)
    {
        var everything = new[]
        {
            NestedVmFixture.Shell("ip", "netns"), NestedVmFixture.Shell("ip", "-o", "link"), NestedVmFixture.Shell("iptables-save"),
            File.ReadAllText("/proc/mounts"), string.Join('\n', Directory.Exists("/run/hosting") ? Directory.GetFileSystemEntries("/run/hosting") : []),
            string.Join('\n', Directory.GetDirectories("/sys/fs/cgroup", "hosting-*", SearchOption.AllDirectories)),
        };
        return [.. everything.SelectMany(text => text.Split('\n')).Where(line =>
            line.Contains(names.Group, StringComparison.Ordinal) || line.Contains(names.Veth("vm-1"), StringComparison.Ordinal))];
    }
}
