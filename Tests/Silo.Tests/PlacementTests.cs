using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Placement;
using Hosting.Protocol;
using Hosting.Support;
using Npgsql;

namespace Hosting.Silo.Tests;

/// <summary>What users and operators can say about placement, from the API to the decision and back.</summary>
public class PlacementTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private const string Servers = "/v1/servers/eu-1/";

    // Labels keep the servers of one test out of the way of the others.
    private static object Spec(string only, int replicas = 1, int cpu = 100, string placement = "asManyAsFit") => new
    {
        image = "shop:1", port = 80, replicas, cpuMillis = cpu, memoryMiB = 16, regions = new[] { SiloUnderTest.Region },
        constraints = new { only }, placement,
    };

    private Task<SimulatedAgent> Agent(string server, string only, int vms = 2) =>
        SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, server, vms, change: h => h.Labels.Add("only", only));

    private async Task<List<string>> Vms(string app) =>
        [.. (await silo.Get($"/v1/apps/{app}/containers")).AsArray().Select(c => $"{c!["server"]}/{c["vm"]}").Order()];

    private async Task Admits(string server) =>
        await SiloUnderTest.Eventually(async () => (bool)(await silo.Get(Servers + server))["admitting"]!, $"{server} admits");

    [Fact]
    public async Task All_or_nothing_waits_until_all_fit_and_is_one_commit()
    {
        await using var first = await Agent("gang-1", "gang");
        await Admits("gang-1");
        await silo.Put("gang", Spec("gang", replicas: 4, cpu: 450, placement: "allOrNothing"));
        var refused = await silo.Until("gang", s => (string?)s["phase"] == "Unplaceable");
        Assert.Contains("2 of 4 replicas fit, so none was placed; for one more, no VM of", (string?)refused["message"]);
        Assert.Equal("allOrNothing", (string?)refused["spec"]!["placement"]);
        Assert.Empty(await Vms("gang"));

        await using var second = await Agent("gang-2", "gang");
        await silo.Until("gang", s => (string?)s["phase"] == "Running" && (int)s["ready"]! == 4);
        await using var source = NpgsqlDataSource.Create(silo.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(DISTINCT created_at) FROM container WHERE app = 'gang'");
        Assert.Equal(1L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task As_many_as_fit_run_and_stay_when_the_others_are_to_come_together()
    {
        await using var agent = await Agent("some-1", "some", vms: 1);
        await Admits("some-1");
        await silo.Put("some", Spec("some", replicas: 4, cpu: 450));
        var status = await silo.Until("some", s => ((string?)s["message"])!.StartsWith("2 of 4 replicas are healthy; no VM of"));
        Assert.Equal("Unplaceable", (string?)status["phase"]);
        var before = await Vms("some");

        await silo.Put("some", Spec("some", replicas: 4, cpu: 450, placement: "allOrNothing"));
        await using var second = await Agent("some-2", "some");
        status = await silo.Until("some", s => (string?)s["phase"] == "Running");
        Assert.Equal(1, (int)status["revision"]!);
        Assert.Equal(before, (await Vms("some")).Take(2));
    }

    [Fact]
    public async Task A_batch_is_one_transaction()
    {
        await using var agent = await Agent("batch-1", "batch");
        await Admits("batch-1");
        var result = await silo.Grains.GetGrain<IPlacementGrain>(SiloUnderTest.Region).Place(new PlacementRequest
        {
            App = "batch", Revision = 1, Demand = new(10, 16), Count = 16, Constraints = new Dictionary<string, string> { ["only"] = "batch" },
        });
        Assert.Equal(16, result.Placed.Count);
        await using var source = NpgsqlDataSource.Create(silo.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(DISTINCT xmin::text) || ' of ' || count(*) FROM container WHERE app = 'batch'");
        Assert.Equal("1 of 16", await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Replicas_spread_over_servers_and_then_over_their_vms()
    {
        await using var first = await Agent("wide-1", "wide");
        await using var second = await Agent("wide-2", "wide");
        await Admits("wide-1");
        await Admits("wide-2");
        await silo.Put("wide", Spec("wide", replicas: 4));
        await silo.Until("wide", s => (int)s["ready"]! == 4);
        Assert.Equal(["wide-1/vm-1", "wide-1/vm-2", "wide-2/vm-1", "wide-2/vm-2"], await Vms("wide"));
    }

    [Fact]
    public async Task A_label_that_no_server_carries_is_explained()
    {
        await using var agent = await Agent("label-1", "label");
        await Admits("label-1");
        var labels = (await silo.Get(Servers + "label-1"))["labels"]!;
        Assert.Equal("label", (string?)labels["only"]);

        await silo.Put("label", Spec("nobody"));
        var refused = await silo.Until("label", s => (string?)s["phase"] == "Unplaceable");
        Assert.Contains("without the labels asked for", (string?)refused["message"]);
        var candidates = await Explain(new { cpuMillis = 10, memoryMiB = 16, region = SiloUnderTest.Region, constraints = new { only = "nobody" }, best = 100 });
        Assert.Contains(candidates, c => (string?)c!["server"] == "label-1" && (string?)c["reason"] == "its server lacks the label only=nobody");
    }

    [Fact]
    public async Task Thresholds_of_the_region_hold_where_a_server_has_none_and_at_once()
    {
        await using var own = await SimulatedAgent.Connect(silo.Hub, "us-1", "own-1");
        await using var common = await SimulatedAgent.Connect(silo.Hub, "us-1", "common-1");
        await Verdicts(own: true, common: true);

        await Patch("/v1/regions/us-1", new { thresholds = new { admit = 0.05, evict = 0.9 } });
        await Verdicts(own: false, common: false);
        await Patch("/v1/servers/us-1/own-1", new { thresholds = new { admit = 0.9, evict = 0.95 } });
        await Verdicts(own: true, common: false);
        await Patch("/v1/regions/us-1", new { thresholds = new { admit = 0.6, evict = 0.8 } });
        await Verdicts(own: true, common: true);
        await Patch("/v1/servers/us-1/own-1", new { thresholds = new { admit = 0.01, evict = 0.95 } });
        await Verdicts(own: false, common: true);
        await Patch("/v1/servers/us-1/own-1", new { thresholds = (object?)null });
        await Verdicts(own: true, common: true);

        // The next decision, not a later one: nothing is waited for but the first reports.
        async Task Verdicts(bool own, bool common)
        {
            await SiloUnderTest.Eventually(async () => (await silo.Get("/v1/servers?region=us-1")).AsArray().All(s => s!["utilization"] is not null), "both report");
            var candidates = await Explain(new { cpuMillis = 10, memoryMiB = 16, region = "us-1", best = 100 });
            Assert.Equal((own, common), (Matches("own-1"), Matches("common-1")));

            bool Matches(string server) => candidates.Any(c => (string?)c!["server"] == server && c["rank"] is not null);
        }
    }

    [Fact]
    public async Task A_server_that_fell_silent_takes_nothing_until_its_next_report()
    {
        await using var agent = await Agent("mute-1", "mute");
        await Admits("mute-1");
        agent.Silent = true;
        await SiloUnderTest.Eventually(async () => !(bool)(await silo.Get(Servers + "mute-1"))["admitting"]!, "the server is stale");
        var stale = await silo.Get(Servers + "mute-1");
        Assert.True((bool)stale["online"]!);
        Assert.Matches(@"^stale: last heard from ([3-9]|\d\d)\.\d s ago$", (string?)stale["notAdmittingReason"]);
        await silo.Put("mute", Spec("mute"));
        await silo.Until("mute", s => ((string?)s["message"])!.Contains("not heard from lately"));

        agent.Silent = false;
        await silo.Until("mute", s => (string?)s["phase"] == "Running");
    }

    [Fact]
    public async Task What_has_not_started_counts_against_its_server_until_a_report_includes_it()
    {
        await using var agent = await Agent("slow-1", "slow");
        agent.Start = _ => null;
        await Admits("slow-1");
        // 2,000 thousandths of a core, of which 10 % are measured and 60 % are the most.
        await silo.Put("slow-a", Spec("slow", cpu: 600));
        await SiloUnderTest.Eventually(async () => (await Vms("slow-a")).Count == 1, "the first is placed");
        await silo.Put("slow-b", Spec("slow", cpu: 600));
        await silo.Until("slow-b", s => (string?)s["phase"] == "Unplaceable" && ((string?)s["message"])!.Contains("at or over its CPU threshold"));

        var id = (string)(await silo.Get("/v1/apps/slow-a/containers"))[0]!["id"]!;
        agent.Report(new Container
        {
            Id = id, App = "slow-a", Vm = (await Vms("slow-a"))[0].Split('/')[1], State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9",
            StartedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        });
        await SiloUnderTest.Eventually(async () => (await Vms("slow-b")).Count == 1, "the second is placed");
    }

    [Fact]
    public async Task Explain_refuses_what_no_spec_may_hold()
    {
        foreach (var body in new object[]
        {
            new { cpuMillis = 0, memoryMiB = 16 }, new { cpuMillis = 1, memoryMiB = int.MaxValue }, new { cpuMillis = 1, memoryMiB = 16, region = "mars-1" },
            new { cpuMillis = 1, memoryMiB = 16, demand = 1 }, new { cpuMillis = "1", memoryMiB = 16 },
        })
            Assert.Equal(HttpStatusCode.BadRequest, (await silo.Api.PostAsJsonAsync("/v1/placements/explain", body)).StatusCode);
    }

    private async Task<JsonArray> Explain(object demand)
    {
        var answer = await silo.Api.PostAsJsonAsync("/v1/placements/explain", demand);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonArray>())![0]!["candidates"]!.AsArray();
    }

    private async Task Patch(string path, object change) =>
        Assert.Equal(HttpStatusCode.OK, (await silo.Api.PatchAsJsonAsync(path, change)).StatusCode);
}
