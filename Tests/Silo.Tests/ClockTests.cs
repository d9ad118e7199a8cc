using Hosting.Apps;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>A silo takes over from one whose clock was an hour ahead: agents and gateways know versions from the future.</summary>
public class ClockTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    [Fact]
    public async Task An_agent_that_has_a_version_from_the_future_is_given_a_newer_one()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "ahead-1", vms: 1);
        var future = (TimeProvider.System.GetUtcNow() + Ahead).UtcTicks;
        long taken = 0;
        agent.Measured = report =>
        {
            Volatile.Write(ref taken, report.Vms[0].AppliedVersion);
            report.Vms[0].AppliedVersion = Math.Max(future, report.Vms[0].AppliedVersion);
        };
        await SiloUnderTest.Eventually(() => Task.FromResult(Volatile.Read(ref taken) > future), "it is told again");
    }

    [Fact]
    public async Task A_gateway_that_knows_a_version_from_the_future_is_given_a_newer_one()
    {
        await silo.Put("ahead", new { image = "shop:1", port = 80, replicas = 0, regions = new[] { SiloUnderTest.Region } });
        var gateway = silo.Grains.CreateObjectReference<IRouteObserver>(new DeafGateway());
        var future = new RouteVersion((TimeProvider.System.GetUtcNow() + Ahead).UtcTicks, 7);

        var share = silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/ahead");
        var table = await share.Watch(gateway, future);
        Assert.True(table?.Version.IsNewerThan(future));
        Assert.Null(await share.Watch(gateway, table!.Version));

        var app = silo.Grains.GetGrain<IAppServiceGrain>("ahead");
        var route = await app.Watch(gateway, future);
        Assert.True(route?.Version.IsNewerThan(future));
        Assert.Null(await app.Watch(gateway, route!.Version));
    }
}
