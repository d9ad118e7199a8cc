using System.Text.Json.Nodes;

namespace Hosting.Cli.Tests;

public sealed class DeployTests
{
    [Fact]
    public async Task Options_become_the_spec()
    {
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 201, Canned.App("Deploying", 0), ("Hosting-Outcome", "created"));
        var run = await Run.Command(api, "deploy", "shop", "--image", "shop:1.4", "--port", "8080", "--replicas", "3", "--cpu", "250", "--memory", "64",
            "--region", "eu-1", "--region", "eu-2", "--env", "A=1", "--env", "B=x=y", "--hostname", "shop.example.com",
            "--command", "/bin/shop", "--arg", "serve", "--arg", "now", "--health-path", "/healthz");
        AssertJson("""
            {"image":"shop:1.4","port":8080,"replicas":3,"cpuMillis":250,"memoryMiB":64,"regions":["eu-1","eu-2"],"hostnames":["shop.example.com"],
             "command":["/bin/shop"],"args":["serve","now"],"env":{"A":"1","B":"x=y"},"healthCheck":{"path":"/healthz"}}
            """, Assert.Single(api.Requests).Body);
        Assert.Equal("shop is created: revision 1, 3 wanted, http://shop.localhost:8080\n", run.Out);
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task Options_say_where_replicas_may_go()
    {
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 200, Canned.App());
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1",
            "--spread", "none", "--constraint", "disk=ssd", "--constraint", "zone=", "--placement", "allOrNothing");
        AssertJson("""{"image":"i","port":1,"spread":"none","placement":"allOrNothing","constraints":{"disk":"ssd","zone":""}}""", Assert.Single(api.Requests).Body);
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task Options_change_what_the_file_says()
    {
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 200, Canned.App());
        var surroundings = new Surroundings
        {
            Address = api.Address,
            Input = """{ "name": "shop", "image": "shop:1", "port": 80, "env": {"A": "1"}, "extra": true, /* why not */ }""",
        };
        var run = await Run.Command(surroundings, "deploy", "-f", "-", "--image", "shop:2", "--env", "B=2");
        AssertJson("""{"image":"shop:2","port":80,"env":{"A":"1","B":"2"},"extra":true}""", Assert.Single(api.Requests).Body);
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_happen()
    {
        await using var api = (await FakeApi.Start())
            .On("PUT /v1/apps/shop?dryRun=true", 200, Canned.App("Unplaceable", 0, message: "no VM of 2 fits"), ("Hosting-Outcome", "created"));
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--dry-run");
        Assert.Equal("shop would be created; nothing was changed. no VM of 2 fits\n", run.Out);
    }

    [Fact]
    public async Task Waiting_succeeds_once_the_new_revision_runs()
    {
        await using var api = (await FakeApi.Start())
            .On("PUT /v1/apps/shop", 200, Canned.App("Deploying", 3, revision: 2), ("Hosting-Outcome", "updated"))
            .OnEach("GET /v1/apps/shop", Canned.App("Running", revision: 1), Canned.App("Degraded", 2, revision: 2, message: "one failed"), Canned.App("Running", revision: 2));
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--wait");
        Assert.Equal("shop is Running: 3 of 3 ready, revision 2, http://shop.localhost:8080\n", run.Out);
        Assert.Contains("Degraded, 2 of 3 ready, one failed\n", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task Waiting_fails_when_the_time_is_over_and_says_why()
    {
        await using var api = (await FakeApi.Start())
            .On("PUT /v1/apps/shop", 201, Canned.App("Deploying", 0))
            .On("GET /v1/apps/shop", 200, Canned.App("Degraded", 0, message: "no such image: i"));
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--wait", "--timeout", "1");
        Assert.Equal(1, run.Code);
        Assert.Contains("error: shop is not running after 1 s: Degraded, 0 of 3 ready, no such image: i.", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
    }

    [Fact]
    public async Task Waiting_outlives_a_short_outage()
    {
        var asked = 0;
        await using var api = (await FakeApi.Start()).On("PUT /v1/apps/shop", 201, Canned.App("Deploying", 0));
        api.On("GET /v1/apps/shop", async http =>
        {
            http.Response.StatusCode = asked++ == 0 ? 503 : 200;
            http.Response.ContentType = asked == 1 ? "application/problem+json" : "application/json";
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
                http.Response, asked == 1 ? Canned.Problem(503, "The platform can not answer now", "wait") : Canned.App());
        });
        var run = await Run.Command(api, "deploy", "shop", "--image", "i", "--port", "1", "--wait", "-o", "json");
        Assert.Equal(0, run.Code);
        AssertJson(Canned.App(), run.Out);
    }

    [Fact]
    public async Task Scale_changes_the_replicas_and_nothing_else()
    {
        await using var api = (await FakeApi.Start())
            .On("GET /v1/apps/shop", 200, Canned.App())
            .On("PUT /v1/apps/shop", 200, Canned.App(desired: 5), ("Hosting-Outcome", "updated"));
        var run = await Run.Command(api, "scale", "shop", "5");
        AssertJson("""{"image":"shop:1.4","port":8080,"cpuMillis":250,"memoryMiB":128,"replicas":5,"env":null}""", api.Requests.Last().Body);
        Assert.Equal("shop is updated: revision 1, 5 wanted, http://shop.localhost:8080\n", run.Out);
    }

    [Fact]
    public async Task Delete_waits_until_the_app_is_gone()
    {
        var asked = 0;
        await using var api = (await FakeApi.Start()).On("DELETE /v1/apps/shop", 202, Canned.App("Deleting"));
        api.On("GET /v1/apps/shop", async http =>
        {
            http.Response.StatusCode = asked++ == 0 ? 200 : 404;
            http.Response.ContentType = asked == 1 ? "application/json" : "application/problem+json";
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
                http.Response, asked == 1 ? Canned.App("Deleting", 1) : Canned.Problem(404, "Not found", "gone"));
        });
        var run = await Run.Command(api, "delete", "shop", "--wait");
        Assert.Equal((0, "shop is deleted.\n"), (run.Code, run.Out));
    }

    private static void AssertJson(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), actual);
}
