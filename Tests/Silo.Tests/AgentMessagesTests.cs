using System.Net.Http.Json;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Hosting.Silo.Agents;
using Hosting.Support;

namespace Hosting.Silo.Tests;

public sealed class AgentMessagesTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    [Fact]
    public void What_containers_use_and_how_long_the_primary_waited_is_read()
    {
        var report = AgentMessages.Read(new Protocol.Utilization
        {
            SampledAt = 1000, Cpu = 0.5, PrimaryWait = 0.25, CapMillis = 300, HeldBack = 0.3,
            Usage = { new Protocol.ContainerUsage { Container = "shop-1", CpuMillis = 250, MemoryMib = 64, HeldMillis = 40 } },
        });
        Assert.Equal(new ContainerUsage("shop-1", 250, 64, 40), Assert.Single(report.Usage));
        Assert.Equal((300, 0.5, 0.8), (report.CapMillis, report.Utilization.Cpu, report.Wanted.Cpu));
        Assert.Equal(0.25, report.PrimaryWait);
    }

    [Fact]
    public void A_wait_that_was_not_measured_is_not_zero()
    {
        var report = AgentMessages.Read(new Protocol.Utilization());
        Assert.Null(report.PrimaryWait);
        Assert.Null(report.CapMillis);
        Assert.Empty(report.Usage);
        Assert.Equal(0, AgentMessages.Read(new Protocol.Utilization { PrimaryWait = 0 }).PrimaryWait);
    }

    [Fact]
    public async Task An_agent_is_told_what_holds_for_its_server_and_told_again_when_that_changes()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "policy-1");
        await SiloUnderTest.Eventually(() => Task.FromResult(agent.Policy is { Admit: 0.60, Evict: 0.80, EvictAfterSeconds: 5 }), "the region's policy is told");
        await silo.Api.PatchAsJsonAsync("/v1/servers/eu-1/policy-1", new { thresholds = new { admit = 0.3, evict = 0.4 } });
        await SiloUnderTest.Eventually(() => Task.FromResult(agent.Policy is { Admit: 0.3, Evict: 0.4 }), "the server's own is told");
    }

    [Fact]
    public async Task An_agent_hears_of_a_changed_region_within_seconds()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, "us-1", "policy-2");
        await silo.Grains.GetGrain<IRegionGrain>("us-1").Configure(new RegionPatch { EvictAfterSeconds = 9 });
        await SiloUnderTest.Eventually(() => Task.FromResult(agent.Policy is { EvictAfterSeconds: 9 }), "the region's new policy is told");
    }

    [Fact]
    public async Task Changes_of_a_region_at_the_same_time_are_all_kept()
    {
        var region = silo.Grains.GetGrain<IRegionGrain>("us-1");
        RegionPatch[] changes =
        [
            new() { LostAfterSeconds = 60 }, new() { CooldownSeconds = 7 }, new() { MovesAtOnce = 3 }, new() { MovesPerMinute = 4 },
            new() { Thresholds = new ThresholdsPatch(Admit: 0.55) }, new() { Thresholds = new ThresholdsPatch(Evict: 0.85) },
        ];
        Assert.All(await Task.WhenAll(changes.Select(region.Configure)), Assert.Null);
        var policy = await region.GetPolicy();
        Assert.Equal((60, 7, 3, 4, new Thresholds(0.55, 0.85)),
            (policy.LostAfterSeconds, policy.CooldownSeconds, policy.MovesAtOnce, policy.MovesPerMinute, policy.Thresholds));
        Assert.Equal(new Thresholds(0.55, 0.5), await region.Configure(new RegionPatch { MovesAtOnce = 9, Thresholds = new ThresholdsPatch(Evict: 0.5) }));
        Assert.Equal(policy, await region.GetPolicy());
    }

    [Fact]
    public async Task Changes_of_a_server_at_the_same_time_are_all_kept()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "policy-3");
        var server = silo.Grains.GetGrain<IServerGrain>(GrainKeys.Server(SiloUnderTest.Region, "policy-3"));
        ServerPatch[] changes =
        [
            new() { Cordoned = true }, new() { Thresholds = new ThresholdsPatch(Admit: 0.25) }, new() { Thresholds = new ThresholdsPatch(Evict: 0.35) },
        ];
        await Task.WhenAll(changes.Select(server.Configure));
        var refused = await server.Configure(new ServerPatch { Cordoned = false, Thresholds = new ThresholdsPatch(Admit: 0.5) });
        Assert.Equal(new Thresholds(0.5, 0.35), refused.Refused);
        var record = (await server.GetRecord())!;
        Assert.Equal((true, new Thresholds(0.25, 0.35)), (record.Cordoned, record.Thresholds));
    }
}
