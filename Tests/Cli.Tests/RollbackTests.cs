using System.Text.Json.Nodes;

namespace Hosting.Cli.Tests;

public sealed class RollbackTests
{
    private const string Revisions = """
        [{"revision":7,"createdAt":"2026-01-02T11:58:00Z","rollbackOf":null,"current":true,"rollbackTarget":false,"spec":{"image":"shop:1.5","cpuMillis":250,"memoryMiB":128}},
         {"revision":6,"createdAt":"2026-01-02T09:00:00Z","rollbackOf":4,"current":false,"rollbackTarget":true,"spec":{"image":"shop:1.4","cpuMillis":250,"memoryMiB":128}},
         {"revision":5,"createdAt":null,"rollbackOf":null,"current":false,"rollbackTarget":false,"spec":{"image":"shop:1.3","cpuMillis":250,"memoryMiB":64}}]
        """;

    [Fact]
    public async Task Without_a_revision_it_names_the_default_so_that_it_can_be_repeated()
    {
        await using var api = (await FakeApi.Start())
            .On("GET /v1/apps/shop/revisions", 200, Revisions)
            .On("POST /v1/apps/shop/rollback", 200, Canned.App("Deploying", revision: 8), ("Hosting-Outcome", "updated"));
        var run = await Run.Command(api, "rollback", "shop");
        Assert.Equal("""{"revision":6}""", api.Requests.Last().Body);
        Assert.Equal((0, "shop is updated: revision 8, 3 wanted, http://shop.localhost:8080\n"), (run.Code, run.Out));
    }

    [Fact]
    public async Task A_named_revision_is_asked_for_and_waited_for()
    {
        await using var api = (await FakeApi.Start())
            .On("POST /v1/apps/shop/rollback", 200, Canned.App("Deploying", revision: 8))
            .OnEach("GET /v1/apps/shop", Canned.App("Deploying", revision: 8), Canned.App(revision: 8));
        var run = await Run.Command(api, "rollback", "shop", "--to", "5", "--wait", "-o", "json");
        Assert.Equal("""{"revision":5}""", api.Requests.First().Body);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Canned.App(revision: 8)), JsonNode.Parse(run.Out)), run.Out);
    }

    [Fact]
    public async Task A_revision_that_is_gone_ends_with_the_apis_words()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/apps/shop/rollback", 409, Canned.Problem(
            409, "The request contradicts what exists", "x", """{"revision":["revision 2 is not kept; kept are 7, 6"]}"""));
        var run = await Run.Command(api, "rollback", "shop", "--to", "2");
        Assert.Equal((1, "error: The request contradicts what exists\n  revision: revision 2 is not kept; kept are 7, 6\n"), (run.Code, run.Error));
    }

    [Fact]
    public async Task Revisions_are_listed_with_where_a_rollback_goes()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps/shop/revisions", 200, Revisions);
        Assert.Equal("""
            REVISION  IMAGE     CPU MILLIS  MEMORY MIB  AGE  NOTE
                   7  shop:1.5         250         128  2m   the newest
                   6  shop:1.4         250         128  3h   a rollback goes here, as 4
                   5  shop:1.3         250          64

            """, (await Run.Command(api, "revisions", "shop")).Out);
    }

    [Fact]
    public async Task Waiting_ends_when_the_rollout_was_stopped_and_says_why()
    {
        var stopped = JsonNode.Parse(Canned.App("Degraded", revision: 7, message: "rollout of revision 7 stopped: no replica more became healthy in 120 s; revision 6 serves"))!;
        stopped["serving"] = 6;
        await using var api = (await FakeApi.Start())
            .On("PUT /v1/apps/shop", 200, Canned.App("Deploying", revision: 7))
            .On("GET /v1/apps/shop", 200, stopped.ToJsonString());
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--wait");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("error: shop: rollout of revision 7 stopped: no replica more became healthy in 120 s; revision 6 serves. See: hosting status shop", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_about_health_and_rollout_become_the_spec()
    {
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 201, Canned.App());
        await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--health-path", "/h", "--health-interval", "3", "--health-timeout", "2",
            "--healthy-after", "4", "--unhealthy-after", "5", "--grace-period", "6", "--max-surge", "0", "--max-unavailable", "1", "--progress-deadline", "60", "--stop-grace", "7");
        var expected = """
            {"image":"i","port":1,"stopGraceSeconds":7,
             "healthCheck":{"path":"/h","intervalSeconds":3,"timeoutSeconds":2,"healthyAfter":4,"unhealthyAfter":5,"gracePeriodSeconds":6},
             "rollout":{"maxSurge":0,"maxUnavailable":1,"progressDeadlineSeconds":60}}
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(Assert.Single(api.Requests).Body)), api.Requests.First().Body);
    }
}
