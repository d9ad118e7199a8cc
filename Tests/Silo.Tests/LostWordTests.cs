using Hosting.Apps;
using Hosting.Support;
using Npgsql;

namespace Hosting.Silo.Tests;

/// <summary>What grains tell each other is a hint: who missed it learns it from the database. And who does not answer does not keep others from it.</summary>
public class LostWordTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    [Fact]
    public async Task A_container_of_which_nobody_said_that_it_runs_gets_traffic_all_the_same()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "quiet-1", vms: 1);
        agent.Start = _ => null;
        await silo.Put("quiet", new { image = "shop:1", port = 80, regions = new[] { SiloUnderTest.Region } });
        await SiloUnderTest.Eventually(async () => await MakeRun("quiet") == 1, "it is placed");

        var share = silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/quiet");
        await SiloUnderTest.Eventually(async () => (await share.GetTable()).Endpoints is [{ Address: "127.0.0.1:9" }], "gateways are told of it");
    }

    [Fact]
    public async Task Gateways_learn_an_app_although_one_of_its_regions_does_not_answer()
    {
        await Execute("INSERT INTO region (name, placement_epoch) VALUES ('mute-1', 0)");
        await silo.Put("half", new { image = "shop:1", port = 80, replicas = 2, regions = new[] { SiloUnderTest.Region, "mute-1" } });
        var gateway = silo.Grains.CreateObjectReference<IRouteObserver>(new DeafGateway());

        var route = await silo.Grains.GetGrain<IAppServiceGrain>("half").Watch(gateway, null);

        Assert.Equal([SiloUnderTest.Region, "mute-1"], route!.Regions.Select(table => table.Region));
        Assert.Equal([false, true], route.Regions.Select(table => table.Version == default));
    }

    /// <summary>As a VM's grain does that is lost before it tells anybody.</summary>
    private Task<int> MakeRun(string app) =>
        Execute("UPDATE container SET state = 2, healthy = true, endpoint = '127.0.0.1:9', started_at = now() WHERE app = $1", app);

    private async Task<int> Execute(string text, params string[] values)
    {
        await using var source = NpgsqlDataSource.Create(silo.ConnectionString);
        await using var command = source.CreateCommand(text);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync();
    }
}
