using Microsoft.AspNetCore.Http;

namespace Hosting.Cli.Tests;

public sealed class OperatorTests
{
    private const string Server = """{"id":"eu-1/srv-1","online":true,"cordoned":true,"admitting":false,"notAdmittingReason":"it is cordoned"}""";

    [Fact]
    public async Task Cordon_closes_a_server()
    {
        await using var api = (await FakeApi.Start()).On("PATCH /v1/servers/eu-1/srv-1", 200, Server);
        var run = await Run.Command(api, "cordon", "eu-1/srv-1");
        Assert.Equal("eu-1/srv-1 takes no new containers.\n", run.Out);
        Assert.Equal("""{"cordoned":true}""", Assert.Single(api.Requests).Body);
    }

    [Fact]
    public async Task A_name_that_one_region_has_is_enough()
    {
        await using var api = (await FakeApi.Start())
            .On("GET /v1/servers", 200, Canned.Servers)
            .On("PATCH /v1/servers/eu-1/srv-1", 200, Server.Replace("\"cordoned\":true", "\"cordoned\":false", StringComparison.Ordinal));
        var run = await Run.Command(api, "uncordon", "srv-1");
        Assert.Equal("eu-1/srv-1 takes new containers again, but not now: it is cordoned.\n", run.Out);
    }

    [Fact]
    public async Task An_unknown_server_fails()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/servers", 200, Canned.Servers);
        var run = await Run.Command(api, "cordon", "srv-9");
        Assert.Equal((1, "error: There is no server 'srv-9'. See: hosting servers\n"), (run.Code, run.Error));
    }

    [Fact]
    public async Task Thresholds_of_a_region_change_and_what_is_not_given_stays()
    {
        await using var api = (await FakeApi.Start())
            .On("PATCH /v1/regions/eu-1", 200, """{"name":"eu-1","thresholds":{"admit":0.5,"evict":0.8}}""");
        var run = await Run.Command(api, "thresholds", "eu-1", "--admit", "0.5");
        Assert.Equal("eu-1 admits under 50% and evicts over 80%, where a server has none of its own.\n", run.Out);
        Assert.Equal("""{"thresholds":{"admit":0.5}}""", api.Requests.Last().Body);
    }

    [Fact]
    public async Task Thresholds_of_a_server_change_and_go_back_to_its_regions()
    {
        const string changed = """{"id":"eu-1/srv-1","thresholds":{"admit":0.7,"evict":0.9}}""";
        await using var api = (await FakeApi.Start()).On("PATCH /v1/servers/eu-1/srv-1", 200, changed);
        var run = await Run.Command(api, "thresholds", "eu-1/srv-1", "--evict", "0.95");
        Assert.Equal("eu-1/srv-1 admits under 70% and evicts over 90%.\n", run.Out);
        Assert.Equal("""{"thresholds":{"evict":0.95}}""", api.Requests.Last().Body);

        run = await Run.Command(api, "thresholds", "eu-1/srv-1", "--reset");
        Assert.Equal("eu-1/srv-1 admits under 70% and evicts over 90%, as its region.\n", run.Out);
        Assert.Equal("""{"thresholds":null}""", api.Requests.Last().Body);
    }

    [Fact]
    public async Task Thresholds_that_contradict_those_that_stay_say_so()
    {
        await using var api = (await FakeApi.Start()).On("PATCH /v1/regions/eu-1", 409,
            """{"status":409,"title":"The request contradicts what exists","detail":"d","errors":{"thresholds":["would be admit 0.6 and evict 0.5."]}}""");
        var run = await Run.Command(api, "thresholds", "eu-1", "--evict", "0.5");
        Assert.Equal(1, run.Code);
        Assert.Contains("would be admit 0.6 and evict 0.5.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_says_what_is_left()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/servers/eu-1/srv-1/drain", 202, Draining(3));
        var run = await Run.Command(api, "drain", "eu-1/srv-1");
        Assert.Equal((0, "eu-1/srv-1 is being drained: 3 containers are left.\n"), (run.Code, run.Out));
    }

    [Fact]
    public async Task Drain_waits_until_it_is_empty_and_shows_the_progress()
    {
        await using var api = (await FakeApi.Start())
            .On("POST /v1/servers/eu-1/srv-1/drain", 202, Draining(2))
            .OnEach("GET /v1/servers/eu-1/srv-1", Draining(2), Draining(1), Draining(0));
        var run = await Run.Command(api, "drain", "eu-1/srv-1", "--wait");
        Assert.Equal((0, "eu-1/srv-1 is empty and takes no new containers.\n"), (run.Code, run.Out));
        Assert.Equal("eu-1/srv-1: 2 containers are left\neu-1/srv-1: 1 container is left\n", run.Error);
    }

    [Fact]
    public async Task Drain_that_takes_too_long_fails_and_says_what_is_left()
    {
        await using var api = (await FakeApi.Start())
            .On("POST /v1/servers/eu-1/srv-1/drain", 202, Draining(2)).On("GET /v1/servers/eu-1/srv-1", 200, Draining(2));
        var run = await Run.Command(api, "drain", "eu-1/srv-1", "--wait", "--timeout", "1");
        Assert.Equal(1, run.Code);
        Assert.Contains("error: eu-1/srv-1 is not empty after 1 s: 2 containers are left.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_that_somebody_ends_fails()
    {
        await using var api = (await FakeApi.Start())
            .On("POST /v1/servers/eu-1/srv-1/drain", 202, Draining(2)).On("GET /v1/servers/eu-1/srv-1", 200, Server);
        var run = await Run.Command(api, "drain", "eu-1/srv-1", "--wait");
        Assert.Equal((1, "error: eu-1/srv-1 is not being drained any more: somebody opened it.\n"), (run.Code, run.Error));
    }

    [Fact]
    public async Task A_vm_is_named_with_or_without_its_region()
    {
        const string vm = """{"id":"eu-1/srv-1/vm-2","cordoned":true,"draining":true,"containers":0,"ready":true}""";
        await using var api = (await FakeApi.Start())
            .On("POST /v1/vms/eu-1/srv-1/vm-2/drain", 202, vm)
            .On("POST /v1/servers/srv-1/vm-2/drain", 404, Canned.Problem(404, "Not found", "There is no server 'srv-1/vm-2'."))
            .On("GET /v1/vms", 200, """[{"id":"eu-1/srv-1/vm-1"},{"id":"eu-1/srv-1/vm-2"}]""");
        foreach (var name in (string[])["eu-1/srv-1/vm-2", "srv-1/vm-2"])
        {
            var run = await Run.Command(api, "drain", name);
            Assert.Equal((0, "eu-1/srv-1/vm-2 is empty and takes no new containers.\n"), (run.Code, run.Out));
        }
    }

    [Fact]
    public async Task Drain_of_something_unknown_fails_with_the_apis_words()
    {
        await using var api = (await FakeApi.Start())
            .On("POST /v1/servers/eu-1/srv-9/drain", 404, Canned.Problem(404, "Not found", "There is no server 'eu-1/srv-9'."))
            .On("GET /v1/vms", 200, "[]");
        var run = await Run.Command(api, "drain", "eu-1/srv-9");
        Assert.Equal((1, "error: Not found\n  There is no server 'eu-1/srv-9'.\n"), (run.Code, run.Error));
        Assert.Equal(2, (await Run.Command(api, "drain", "eu-1//vm")).Code);
    }

    [Fact]
    public async Task Drain_as_json_is_the_apis_answer()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/servers/eu-1/srv-1/drain", 202, Draining(3));
        var run = await Run.Command(api, "drain", "eu-1/srv-1", "-o", "json");
        Assert.Contains("\"containers\": 3", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_is_shown_and_changed()
    {
        const string region = """
            {"name":"eu-1","thresholds":{"admit":0.6,"evict":0.8},"evictAfterSeconds":5,"lostAfterSeconds":10,"cooldownSeconds":300,"movesAtOnce":20,"movesPerMinute":120}
            """;
        await using var api = (await FakeApi.Start()).On("GET /v1/regions", 200, $"[{region}]").On("PATCH /v1/regions/eu-1", 200, region);
        var shown = await Run.Command(api, "policy", "eu-1");
        Assert.Contains("containers leave over        80%, after 5 s", shown.Out, StringComparison.Ordinal);
        await Run.Command(api, "policy", "eu-1", "--lost-after", "30", "--moves-at-once", "7");
        Assert.Equal("""{"lostAfterSeconds":30,"movesAtOnce":7}""", api.Requests.Last().Body);
        Assert.Equal(2, (await Run.Command(api, "policy", "eu-1", "--cooldown", "soon")).Code);
        Assert.Equal(1, (await Run.Command(api, "policy", "eu-9")).Code);
    }

    private static string Draining(int containers) =>
        $$"""{"id":"eu-1/srv-1","online":true,"cordoned":true,"draining":true,"containers":{{containers}},"admitting":false,"notAdmittingReason":"being drained by an operator"}""";

    [Fact]
    public async Task Followed_events_go_on_after_an_interruption()
    {
        var streams = 0;
        await using var api = await FakeApi.Start();
        api.On("GET /v1/events?follow=true", async http =>
        {
            if (++streams == 3)
            {
                http.Response.StatusCode = 404;
                http.Response.ContentType = "application/problem+json";
                await http.Response.WriteAsync(Canned.Problem(404, "Not found", "over"));
                return;
            }
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync($$"""
                retry: 1000

                :
                id: {{streams}}
                data: {"id":{{streams}},"at":"2026-01-02T11:59:00Z","region":"eu-1","server":"srv-1","kind":"serverOnline","message":"number {{streams}}"}


                """);
        });
        var run = await Run.Command(api, "events", "-f");
        Assert.Equal("""
            11:59:00Z  serverOnline  eu-1/srv-1  number 1
            11:59:00Z  serverOnline  eu-1/srv-1  number 2

            """, run.Out);
        Assert.Equal([null, "1", "2"], api.Requests.Select(r => r.LastEventId));
        Assert.Equal(1, run.Code);
    }

    [Theory]
    [InlineData("--version")]
    [InlineData("--help")]
    public async Task Help_and_version_need_no_api(string option)
    {
        var run = await Run.Command(new Surroundings(), option);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.NotEmpty(run.Out);
    }

    [Fact]
    public async Task Help_of_a_command_ends_with_examples()
    {
        var run = await Run.Command(new Surroundings(), "deploy", "--help");
        Assert.Contains("Examples:\n  hosting deploy shop --image shop:1.4", run.Out, StringComparison.Ordinal);
    }
}
