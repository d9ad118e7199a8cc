using System.Net;
using System.Net.Http.Json;
using Hosting.Apps;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>From a spec to containers, through the API, the grains, PostgreSQL and the agents' protocol.</summary>
public class DeploymentTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private static object Spec(int replicas = 1, int cpu = 50, string image = "shop:1", string region = SiloUnderTest.Region, string[]? hostnames = null) =>
        new { image, port = 8080, replicas, cpuMillis = cpu, memoryMiB = 16, regions = new[] { region }, hostnames };

    [Fact]
    public async Task A_deployed_app_runs_spread_over_servers_and_is_routed()
    {
        await using var first = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "spread-1");
        await using var second = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "spread-2");
        await SiloUnderTest.Eventually(async () => await Admitting("spread-") == 2, "both are heard from");
        var answer = await silo.Put("spread", Spec(replicas: 4));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        await silo.Until("spread", s => (string?)s["phase"] == "Running" && (int)s["ready"]! == 4);

        var containers = (await silo.Get("/v1/apps/spread/containers")).AsArray();
        Assert.Equal(2, containers.Count(c => (string?)c!["server"] == "spread-1"));
        Assert.Equal(2, containers.Count(c => (string?)c!["server"] == "spread-2"));
        var table = await silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/spread").GetTable();
        Assert.Equal(4, table.Endpoints.Count);
    }

    private async Task<int> Admitting(string prefix) => (await silo.Get($"/v1/servers?region={SiloUnderTest.Region}")).AsArray()
        .Count(server => ((string)server!["id"]!).StartsWith($"{SiloUnderTest.Region}/{prefix}", StringComparison.Ordinal) && (bool)server["admitting"]!);

    [Fact]
    public async Task The_same_spec_again_changes_nothing_and_scaling_keeps_the_revision()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "scale-1");
        await silo.Put("scale", Spec(replicas: 2));
        await silo.Until("scale", s => (int)s["ready"]! == 2);
        var before = (await silo.Get("/v1/apps/scale/containers")).AsArray().Select(c => (string)c!["id"]!).ToHashSet();

        Assert.Equal(HttpStatusCode.OK, (await silo.Put("scale", Spec(replicas: 2))).StatusCode);
        await silo.Put("scale", Spec(replicas: 3));
        var status = await silo.Until("scale", s => (int)s["ready"]! == 3 && (string?)s["phase"] == "Running");
        Assert.Equal(1, (int)status["revision"]!);
        Assert.Superset(before, (await silo.Get("/v1/apps/scale/containers")).AsArray().Select(c => (string)c!["id"]!).ToHashSet());
    }

    [Fact]
    public async Task A_new_image_replaces_every_container()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "roll-1");
        await silo.Put("roll", Spec(replicas: 3));
        await silo.Until("roll", s => (string?)s["phase"] == "Running");
        await silo.Put("roll", Spec(replicas: 3, image: "shop:2"));
        await silo.Until("roll", s => (string?)s["phase"] == "Running" && (int)s["revision"]! == 2);
        Assert.All((await silo.Get("/v1/apps/roll/containers")).AsArray(), c => Assert.Equal(2, (int)c!["revision"]!));
        await SiloUnderTest.Eventually(() => Task.FromResult(agent.Running.Count(id => id.StartsWith("roll-")) == 3), "the old ones are stopped");
    }

    [Fact]
    public async Task What_no_VM_can_hold_says_why_and_is_placed_by_itself_when_room_appears()
    {
        await silo.Put("big", Spec(cpu: 900_000, region: "us-1"));
        var refused = await silo.Until("big", s => (string?)s["phase"] == "Unplaceable");
        Assert.Contains("us-1", (string?)refused["message"]);

        await using var small = await SimulatedAgent.Connect(silo.Hub, "us-1", "small-1");
        await silo.Until("big", s => ((string?)s["message"])!.Contains("lack free CPU"));
        await using var huge = await SimulatedAgent.Connect(silo.Hub, "us-1", "huge-1", vmCpu: 10_000_000);
        await silo.Until("big", s => (string?)s["phase"] == "Running");
    }

    [Fact]
    public async Task A_server_at_its_threshold_takes_nothing_until_it_cools_down()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "hot-1", change: h => h.Labels.Add("only", "hot"));
        agent.Cpu = 0.9;
        await SiloUnderTest.Eventually(async () => (double?)(await silo.Get("/v1/servers/eu-1/hot-1"))["utilization"]?["cpu"] > 0.8, "the server is known to be hot");
        await silo.Put("hot", new { image = "shop:1", port = 80, cpuMillis = 10, regions = new[] { SiloUnderTest.Region }, constraints = new { only = "hot" } });
        await silo.Until("hot", s => (string?)s["phase"] == "Unplaceable" && ((string?)s["message"])!.Contains("CPU threshold"));
        agent.Cpu = 0.1;
        await silo.Until("hot", s => (string?)s["phase"] == "Running");
    }

    [Fact]
    public async Task A_cordoned_server_takes_nothing_until_it_is_opened()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "cord-1", change: h => h.Labels.Add("only", "cord"));
        await silo.Api.PatchAsJsonAsync("/v1/servers/eu-1/cord-1", new { cordoned = true });
        await silo.Put("cord", new { image = "shop:1", port = 80, cpuMillis = 10, regions = new[] { SiloUnderTest.Region }, constraints = new { only = "cord" } });
        await silo.Until("cord", s => (string?)s["phase"] == "Unplaceable" && ((string?)s["message"])!.Contains("cordoned"));
        await silo.Api.PatchAsJsonAsync("/v1/servers/eu-1/cord-1", new { cordoned = false });
        await silo.Until("cord", s => (string?)s["phase"] == "Running");
    }

    [Fact]
    public async Task A_start_that_fails_degrades_the_app_with_the_engines_reason()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "sick-1", change: h => h.Labels.Add("only", "sick"));
        agent.Start = c => new Protocol.Container { Id = c.Id, State = Protocol.ContainerState.Starting, Reason = "no such image: shop:9" };
        await silo.Put("sick", new { image = "shop:9", port = 80, cpuMillis = 10, regions = new[] { SiloUnderTest.Region }, constraints = new { only = "sick" } });
        await silo.Until("sick", s => (string?)s["phase"] == "Degraded" && ((string?)s["message"])!.Contains("no such image: shop:9"));
    }

    [Fact]
    public async Task Deleting_stops_the_containers_and_then_there_is_no_such_app()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "del-1");
        await silo.Put("del", Spec(replicas: 2));
        await silo.Until("del", s => (string?)s["phase"] == "Running");
        Assert.Equal(HttpStatusCode.Accepted, (await silo.Api.DeleteAsync("/v1/apps/del")).StatusCode);
        await SiloUnderTest.Eventually(async () => (await silo.Api.GetAsync("/v1/apps/del")).StatusCode == HttpStatusCode.NotFound, "the app is gone");
        Assert.DoesNotContain(agent.Running, id => id.StartsWith("del-"));
        Assert.Equal(HttpStatusCode.NotFound, (await silo.Api.DeleteAsync("/v1/apps/del")).StatusCode);
    }

    [Fact]
    public async Task A_hostname_has_one_owner()
    {
        await silo.Put("owner", Spec(replicas: 0, hostnames: ["one.example.com"]));
        var second = await silo.Put("thief", Spec(replicas: 0, hostnames: ["free.example.com", "one.example.com"]));
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await silo.Api.GetAsync("/v1/apps/thief")).StatusCode);
        // What the refused one had claimed already is free again.
        Assert.Equal(HttpStatusCode.Created, (await silo.Put("third", Spec(replicas: 0, hostnames: ["free.example.com"]))).StatusCode);
        // And a name that its owner gives up can be taken.
        await silo.Put("owner", Spec(replicas: 0));
        Assert.Equal(HttpStatusCode.Created, (await silo.Put("thief", Spec(replicas: 0, hostnames: ["one.example.com"]))).StatusCode);
    }

    [Fact]
    public async Task Of_two_specs_at_once_one_wins_and_nothing_is_mixed()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "race-1");
        await Task.WhenAll(silo.Put("race", Spec(replicas: 2, image: "a:1")), silo.Put("race", Spec(replicas: 3, image: "b:1")));
        var status = await silo.Until("race", s => (string?)s["phase"] == "Running");
        var spec = status["spec"]!;
        Assert.Equal((string?)spec["image"] == "a:1" ? 2 : 3, (int)spec["replicas"]!);
        Assert.All((await silo.Get("/v1/apps/race/containers")).AsArray(), c => Assert.Equal((int)status["revision"]!, (int)c!["revision"]!));
    }

    [Fact]
    public async Task A_dry_run_answers_and_changes_nothing()
    {
        var answer = await silo.Api.PutAsJsonAsync("/v1/apps/dry?dryRun=true", Spec());
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await silo.Api.GetAsync("/v1/apps/dry")).StatusCode);
    }

    [Fact]
    public async Task An_agent_that_comes_back_keeps_its_containers_and_loses_orphans()
    {
        var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "back-1", change: h => h.Labels.Add("only", "back"));
        await silo.Put("back", new { image = "shop:1", port = 80, cpuMillis = 10, replicas = 2, regions = new[] { SiloUnderTest.Region }, constraints = new { only = "back" } });
        await silo.Until("back", s => (string?)s["phase"] == "Running");
        var before = agent.Running.Order().ToList();
        await agent.DisposeAsync();
        await using var again = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "back-1", change: h =>
        {
            h.Labels.Add("only", "back");
            h.Containers.AddRange(before.Append("back-orphan").Select(id => new Protocol.Container
            {
                Id = id, Vm = "vm-1", State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9",
            }));
        });
        await SiloUnderTest.Eventually(() => Task.FromResult(again.Running.Order().SequenceEqual(before)), "the agent runs what it ran, without the orphan");
        Assert.Equal(before, (await silo.Get("/v1/apps/back/containers")).AsArray().Select(c => (string)c!["id"]!).Order());
    }
}
