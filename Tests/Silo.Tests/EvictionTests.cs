using System.Text.Json.Nodes;
using Hosting.Apps;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>Pressure, from an agent's reports to what replica sets are asked.</summary>
public class EvictionTests(RestlessSilo silo) : IClassFixture<RestlessSilo>
{
    [Fact]
    public async Task A_hot_server_admits_nothing_and_its_container_is_asked_to_leave_with_the_numbers()
    {
        await using var hot = await silo.Agent("warm-1", "warm");
        await using var cool = await silo.Agent("warm-2", "warm");
        var containers = await silo.Deploy("warm", replicas: 2);
        cool.Start = _ => null;
        var (leaving, staying) = (On(containers, "warm-1"), On(containers, "warm-2"));

        hot.Cpu = 0.95;
        await RestlessSilo.Eventually(async () => !(bool)(await silo.Get("/v1/servers/eu-1/warm-1"))["admitting"]!, "it admits nothing");
        await RestlessSilo.Eventually(() => silo.Asked.Moves(leaving).Count > 1, "the container is asked to leave, more than once");

        var move = silo.Asked.Moves(leaving)[0];
        Assert.Equal(MoveCause.Pressure, move.Cause);
        Assert.Matches("^CPU 0\\.95 over 0\\.80 for [12] s", move.Reason);
        Assert.InRange(move.AvoidUntil!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(77));
        Assert.Contains($"{leaving[0]} has to leave server warm-1: CPU 0.9", await silo.Event("warm-1", "evicting"), StringComparison.Ordinal);
        Assert.Empty(silo.Asked.Moves(staying));

        hot.Cpu = 0.1;
        await RestlessSilo.Eventually(() => silo.Asked.Stays(leaving).Count > 0, "it may stay after all");
        await silo.Event("warm-1", "relieved");
    }

    [Fact]
    public async Task What_containers_take_decides_who_leaves()
    {
        await using var hot = await silo.Agent("weigh-1", "weigh");
        var containers = await silo.Deploy("weigh", replicas: 4);
        await using var cool = await silo.Agent("weigh-2", "weigh");
        cool.Start = _ => null;
        await RestlessSilo.Eventually(async () => (bool)(await silo.Get("/v1/servers/eu-1/weigh-2"))["admitting"]!, "there is room elsewhere");
        var ids = containers.Select(c => (string)c["id"]!).ToList();
        hot.Measured = report => report.Usage.AddRange(ids.Select((id, i) => new Protocol.ContainerUsage { Container = id, CpuMillis = i == 2 ? 800 : 10 }));
        hot.Cpu = 0.9;
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count > 2, "one is asked to leave");
        Assert.All(silo.Asked.Moves(ids), move => Assert.Equal(ids[2], move.Container));
    }

    [Fact]
    public async Task Where_nothing_fits_elsewhere_containers_stay_and_their_app_says_so()
    {
        await using var hot = await silo.Agent("alone-1", "alone");
        var ids = Ids(await silo.Deploy("alone", replicas: 2));
        hot.Cpu = 0.95;
        await RestlessSilo.Eventually(async () => (string?)(await silo.Get("/v1/apps/alone"))["phase"] == "Degraded", "the app says that it is throttled");
        Assert.Contains("is throttled on server alone-1 (CPU 0.95 over 0.80", (string?)(await silo.Get("/v1/apps/alone"))["message"], StringComparison.Ordinal);
        await silo.Event("alone-1", "held", "no other server can take any of its containers");
        Assert.Empty(silo.Asked.Moves(ids));

        hot.Cpu = 0.1;
        await RestlessSilo.Eventually(async () => (string?)(await silo.Get("/v1/apps/alone"))["phase"] == "Running", "it is over");
    }

    [Fact]
    public async Task All_servers_hot_at_once_move_nothing()
    {
        var agents = new List<SimulatedAgent>();
        for (var i = 1; i <= 4; i++)
            agents.Add(await silo.Agent($"storm-{i}", "storm"));
        var ids = Ids(await silo.Deploy("storm", replicas: 8));
        foreach (var agent in agents)
            agent.Cpu = 0.95;
        await RestlessSilo.Eventually(() => silo.Asked.Holds(ids).Select(h => h.Container).Distinct().Count() == 8, "all are held where they are");
        Assert.Empty(silo.Asked.Moves(ids));
        Assert.Equal(8, (int)(await silo.Get("/v1/apps/storm"))["ready"]!);
        foreach (var agent in agents)
            await agent.DisposeAsync();
    }

    [Fact]
    public async Task No_more_leave_at_once_than_the_regions_budget_allows()
    {
        const string region = RestlessSilo.SmallBudget;
        await using var hot = await silo.Agent("many-1", "many", region: region);
        var ids = Ids(await silo.Deploy("many", replicas: 6, region: region));
        await using var cool = await silo.Agent("many-2", "many", region: region);
        cool.Start = _ => null;
        await RestlessSilo.Eventually(async () => (bool)(await silo.Get($"/v1/servers/{region}/many-2"))["admitting"]!, "there is room elsewhere");
        hot.Cpu = 0.95;
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count >= 8, "some leave, and are asked again and again");
        Assert.Equal(2, silo.Asked.Moves(ids).Select(m => m.Container).Distinct().Count());
    }

    private static List<string> On(IReadOnlyList<JsonNode> containers, string server) => Ids(containers.Where(c => (string?)c["server"] == server));

    private static List<string> Ids(IEnumerable<JsonNode> containers) => [.. containers.Select(c => (string)c["id"]!)];
}
