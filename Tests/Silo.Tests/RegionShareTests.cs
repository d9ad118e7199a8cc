using System.Net;
using System.Text.Json.Nodes;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>An app over two regions, with shares of its choice, and what becomes of them when a region loses its servers.</summary>
public class RegionShareTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private const string Other = "us-1";

    [Fact]
    public async Task Regions_get_the_replicas_they_are_named_with_and_the_spec_says_so()
    {
        await using var here = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "share-1");
        await using var there = await SimulatedAgent.Connect(silo.Hub, Other, "share-2");
        Assert.Equal(HttpStatusCode.Created, (await silo.Put("shares", Spec(failover: false))).StatusCode);
        var status = await silo.Until("shares", s => (string?)s["phase"] == "Running" && (int)s["ready"]! == 3);
        Assert.Equal(3, (int)status["desired"]!);
        Assert.Equal("""{"eu-1":1,"us-1":2}""", status["spec"]!["regions"]!.ToJsonString());
        Assert.Equal((1, 2), await Split("shares"));
    }

    [Fact]
    public async Task The_share_of_a_region_that_lost_its_servers_runs_in_the_other_until_it_is_back()
    {
        await using var here = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "over-1");
        var there = await SimulatedAgent.Connect(silo.Hub, Other, "over-2");
        await silo.Put("over", Spec(failover: true));
        await silo.Until("over", s => (int)s["ready"]! == 3);

        await there.DisposeAsync();
        var away = await silo.Until("over", s => ((string)s["message"]!).Contains("us-1 away", StringComparison.Ordinal) && (int)s["ready"]! == 3, seconds: 40);
        Assert.Equal((string?)"Running", (string?)away["phase"]);
        Assert.Equal(3, (await Split("over")).Here);

        await using var back = await SimulatedAgent.Connect(silo.Hub, Other, "over-2");
        await silo.Until("over", s => !((string)s["message"]!).Contains("away", StringComparison.Ordinal) && (int)s["ready"]! == 3, seconds: 40);
        await SiloUnderTest.Eventually(async () => await Split("over") == (1, 2), "each region runs its own share again");
        var kinds = (await silo.Get("/v1/events?app=over")).AsArray().Select(e => (string)e!["kind"]!).ToList();
        Assert.Contains("regionAway", kinds);
        Assert.Contains("regionBack", kinds);
    }

    private static object Spec(bool failover) => new
    {
        image = "shop:1", port = 8080, cpuMillis = 50, memoryMiB = 16, failover, regions = new Dictionary<string, int> { [SiloUnderTest.Region] = 1, [Other] = 2 },
    };

    private async Task<(int Here, int There)> Split(string app)
    {
        var regions = (await silo.Get($"/v1/apps/{app}/containers")).AsArray().Where(IsHealthy).Select(c => (string)c!["region"]!).ToList();
        return (regions.Count(r => r == SiloUnderTest.Region), regions.Count(r => r == Other));
    }

    private static bool IsHealthy(JsonNode? container) => (bool)container!["healthy"]!;
}
