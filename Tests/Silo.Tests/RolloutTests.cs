using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Apps;
using Hosting.Protocol;
using Hosting.Support;
using Orleans.Core.Internal;

namespace Hosting.Silo.Tests;

/// <summary>Rollouts that fail, turn and go back, through the API and the agents' protocol.</summary>
public class RolloutTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    // What an agent was told to start and holds back.
    private readonly ConcurrentDictionary<string, Container> _held = new();

    private static object Spec(string app, string image, int replicas = 2, int deadline = 120, int surge = 1, int unavailable = 0) => new
    {
        image,
        port = 80,
        replicas,
        cpuMillis = 10,
        memoryMiB = 16,
        regions = new[] { SiloUnderTest.Region },
        constraints = new { only = app },
        rollout = new { maxSurge = surge, maxUnavailable = unavailable, progressDeadlineSeconds = deadline },
    };

    [Fact]
    public async Task A_revision_that_does_not_get_healthy_is_stopped_and_the_old_one_serves()
    {
        await using var agent = await Agent("stop");
        agent.Start = c => c.Image == "shop:2" ? Sick(c, "exited with code 1") : SimulatedAgent.Healthy(c);
        await Running("stop", Spec("stop", "shop:1"));
        var old = await Ids("stop");
        await silo.Put("stop", Spec("stop", "shop:2", deadline: 1));
        var status = await silo.Until("stop", s => (int?)s["serving"] == 1 && s["message"]!.GetValue<string>().Contains("stopped"));

        Assert.Equal(("Degraded", 2, 2), ((string)status["phase"]!, (int)status["revision"]!, (int)status["ready"]!));
        Assert.Matches(@"^rollout of revision 2 stopped: no replica more became healthy in 1 s \(stop-\w+: exited with code 1\); revision 1 serves$", (string)status["message"]!);
        await SiloUnderTest.Eventually(async () => (await Ids("stop")).SetEquals(old), "only the old containers are left");
        Assert.Contains((await silo.Get("/v1/apps/stop/events")).AsArray(), e => (string?)e!["kind"] == "rolloutStopped");

        // It is durable: another activation keeps it, and so does a change of the number.
        await silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/stop").Cast<IGrainManagementExtension>().DeactivateOnIdle();
        await silo.Put("stop", Spec("stop", "shop:2", replicas: 3, deadline: 1));
        await silo.Until("stop", s => (int?)s["serving"] == 1 && (int)s["ready"]! == 3);
        Assert.All((await silo.Get("/v1/apps/stop/containers")).AsArray(), c => Assert.Equal(1, (int)c!["revision"]!));
    }

    [Fact]
    public async Task A_stop_brings_the_old_revision_back_to_its_number()
    {
        await using var agent = await Agent("back");
        agent.Start = c => c.Image == "shop:2" ? Sick(c, "exited with code 1") : SimulatedAgent.Healthy(c);
        await Running("back", Spec("back", "shop:1"));
        await silo.Put("back", Spec("back", "shop:2", deadline: 1, surge: 0, unavailable: 2));
        await silo.Until("back", s => (int)s["ready"]! == 0);
        await silo.Until("back", s => (int?)s["serving"] == 1 && (int)s["ready"]! == 2);
    }

    [Fact]
    public async Task After_a_stop_a_rollback_and_a_new_spec_start_anew()
    {
        await using var agent = await Agent("anew");
        agent.Start = c => c.Image == "shop:2" ? Sick(c, "exited with code 1") : SimulatedAgent.Healthy(c);
        await Running("anew", Spec("anew", "shop:1"));
        await silo.Put("anew", Spec("anew", "shop:2", deadline: 1));
        await silo.Until("anew", s => (int?)s["serving"] == 1);

        var answer = await silo.Api.PostAsync("/v1/apps/anew/rollback", null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var status = await silo.Until("anew", s => (string?)s["phase"] == "Running" && (int)s["revision"]! == 3);
        Assert.Equal("shop:1", (string?)status["spec"]!["image"]);
        Assert.Null(status["serving"]);

        await silo.Put("anew", Spec("anew", "shop:3", deadline: 1));
        await silo.Until("anew", s => (string?)s["phase"] == "Running" && (int)s["revision"]! == 4);
    }

    [Fact]
    public async Task A_first_deployment_is_not_stopped_and_goes_on_trying()
    {
        await using var agent = await Agent("first");
        agent.Start = c => Hold(c, "no such image");
        await silo.Put("first", Spec("first", "shop:1", replicas: 1, deadline: 1));
        await silo.Until("first", s => (string?)s["phase"] == "Degraded" && ((string?)s["message"])!.Contains("no such image"));
        await SiloUnderTest.Eventually(() => Task.FromResult(_held.Values.Any(h => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - h.StartedAt > 2_000)), "twice the deadline has passed");
        Assert.Null((await silo.Get("/v1/apps/first"))["serving"]);
        Release(agent);
        await silo.Until("first", s => (string?)s["phase"] == "Running");
    }

    [Fact]
    public async Task A_rollback_brings_a_named_revision_back_with_todays_replicas()
    {
        await using var agent = await Agent("roll");
        await Running("roll", Spec("roll", "shop:1"));
        await Running("roll", Spec("roll", "shop:2"));
        await Running("roll", Spec("roll", "shop:3", replicas: 3));

        var answer = await silo.Api.PostAsJsonAsync("/v1/apps/roll/rollback", new { revision = 1 });
        var rolled = (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal((4, "shop:1", 3), ((int)rolled["revision"]!, (string)rolled["spec"]!["image"]!, (int)rolled["spec"]!["replicas"]!));
        await silo.Until("roll", s => (string?)s["phase"] == "Running" && (int)s["ready"]! == 3);

        // The same again changes nothing, so a repeated request does no harm.
        var again = await silo.Api.PostAsJsonAsync("/v1/apps/roll/rollback", new { revision = 1 });
        Assert.Equal("unchanged", again.Headers.GetValues("Hosting-Outcome").Single());
        var revisions = (await silo.Get("/v1/apps/roll/revisions")).AsArray();
        Assert.Equal([4, 3, 2, 1], revisions.Select(r => (int)r!["revision"]!));
        Assert.Equal((true, 1, false), ((bool)revisions[0]!["current"]!, (int)revisions[0]!["rollbackOf"]!, (bool)revisions[0]!["rollbackTarget"]!));
        Assert.True((bool)revisions[1]!["rollbackTarget"]!);
    }

    [Fact]
    public async Task A_rollback_to_a_revision_that_is_gone_lists_what_is_kept_and_changes_nothing()
    {
        await silo.Put("gone", Spec("gone", "shop:1", replicas: 0));
        Assert.Equal(HttpStatusCode.Conflict, (await silo.Api.PostAsync("/v1/apps/gone/rollback", null)).StatusCode);
        for (var i = 2; i <= 12; i++)
            await silo.Put("gone", Spec("gone", $"shop:{i}", replicas: 0));
        var refused = await silo.Api.PostAsJsonAsync("/v1/apps/gone/rollback", new { revision = 2 });
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("kept are 12 (the newest), 11, 10, 9, 8, 7, 6, 5, 4, 3.", await refused.Content.ReadAsStringAsync());
        Assert.Equal(12, (int)(await silo.Get("/v1/apps/gone"))["revision"]!);
        Assert.Equal(HttpStatusCode.OK, (await silo.Api.PostAsJsonAsync("/v1/apps/gone/rollback", new { revision = 3 })).StatusCode);
    }

    [Fact]
    public async Task Scaling_in_the_middle_of_a_rollout_ends_at_the_new_number()
    {
        await using var agent = await Agent("mid");
        await Running("mid", Spec("mid", "shop:1", replicas: 3));
        agent.Start = c => Hold(c);
        await silo.Put("mid", Spec("mid", "shop:2", replicas: 3));
        await SiloUnderTest.Eventually(() => Task.FromResult(!_held.IsEmpty), "the rollout has begun");
        await silo.Put("mid", Spec("mid", "shop:2", replicas: 5));
        await SiloUnderTest.Eventually(() => Task.FromResult(_held.Count == 3), "it is scaled up with the new revision");
        Assert.Equal(3, (int)(await silo.Get("/v1/apps/mid"))["ready"]!);
        await silo.Put("mid", Spec("mid", "shop:2", replicas: 2));
        agent.Start = SimulatedAgent.Healthy;
        Release(agent);
        await silo.Until("mid", s => (string?)s["phase"] == "Running" && (int)s["ready"]! == 2);
        Assert.All((await silo.Get("/v1/apps/mid/containers")).AsArray(), c => Assert.Equal(2, (int)c!["revision"]!));
    }

    [Fact]
    public async Task A_new_spec_in_the_middle_turns_the_rollout_to_the_newest()
    {
        await using var agent = await Agent("turn");
        await Running("turn", Spec("turn", "shop:1"));
        agent.Start = c => c.Image == "shop:2" ? Hold(c) : SimulatedAgent.Healthy(c);
        await silo.Put("turn", Spec("turn", "shop:2"));
        await SiloUnderTest.Eventually(() => Task.FromResult(!_held.IsEmpty), "the rollout has begun");
        await silo.Put("turn", Spec("turn", "shop:3"));
        await silo.Until("turn", s => (string?)s["phase"] == "Running" && (int)s["revision"]! == 3);
        Assert.All((await silo.Get("/v1/apps/turn/containers")).AsArray(), c => Assert.Equal(3, (int)c!["revision"]!));
    }

    private Task<SimulatedAgent> Agent(string app) =>
        SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, $"{app}-1", change: h => h.Labels.Add("only", app));

    private async Task Running(string app, object spec)
    {
        await silo.Put(app, spec);
        await silo.Until(app, s => (string?)s["phase"] == "Running");
    }

    private async Task<HashSet<string>> Ids(string app) =>
        (await silo.Get($"/v1/apps/{app}/containers")).AsArray().Select(c => (string)c!["id"]!).ToHashSet();

    private static Container Sick(DesiredContainer desired, string reason) =>
        new() { Id = desired.Id, App = desired.App, Revision = desired.Revision, State = Protocol.ContainerState.Starting, Reason = reason };

    private Container Hold(DesiredContainer desired, string reason = "") => _held.GetOrAdd(desired.Id, _ =>
    {
        var held = Sick(desired, reason);
        held.StartedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        return held;
    });

    private void Release(SimulatedAgent agent)
    {
        foreach (var held in _held.Values.Where(h => agent.Running.Contains(h.Id)))
            agent.Report(new Container(held) { State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9", Reason = "" });
    }
}
