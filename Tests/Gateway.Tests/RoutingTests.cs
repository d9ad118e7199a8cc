using System.Net;
using Hosting.Apps;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

public sealed class RoutingTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    [Fact]
    public async Task Requests_reach_the_app_of_their_host_name_and_keep_their_host()
    {
        await using var one = await Backend.Start("one-1", context => context.Response.WriteAsync("one " + context.Request.Host.Value));
        await using var two = await Backend.Start("two-1");
        _script.App("route-one").Put(Region, one.Endpoint);
        _script.App("route-two").Put(Region, two.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var first = await gateway.Ask("route-one");
        var second = await gateway.Ask("ROUTE-TWO.localhost:8080");

        Assert.Equal("one route-one.localhost", first.Body);
        Assert.Equal("one-1", first.Container);
        Assert.Equal("two-1", second.Body);
    }

    [Fact]
    public async Task Idle_replicas_are_used_in_turn()
    {
        await using var one = await Backend.Start("turn-1");
        await using var two = await Backend.Start("turn-2");
        await using var three = await Backend.Start("turn-3");
        _script.App("turn").Put(Region, one.Endpoint, two.Endpoint, three.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var answers = new List<string>();
        for (var i = 0; i < 9; i++)
            answers.Add((await gateway.Ask("turn")).Body);

        Assert.All(answers.CountBy(body => body), count => Assert.Equal(3, count.Value));
    }

    [Fact]
    public async Task A_container_is_named_only_on_request()
    {
        await using var backend = await Backend.Start("debug-1");
        _script.App("debug").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "debug.localhost";
        using var response = await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.False(response.Headers.Contains("X-Hosting-Container"));
    }

    [Fact]
    public async Task Many_requests_for_an_unknown_name_cost_one_grain_call()
    {
        await using var backend = await Backend.Start("single-1");
        var app = _script.App("single");
        app.Put(Region, backend.Endpoint);
        var gate = new TaskCompletionSource();
        app.Gate = gate.Task;
        await using var gateway = await TestGateway.Start(platform);

        var asking = Enumerable.Range(0, 50).Select(_ => gateway.Ask("single")).ToArray();
        while (app.AppCalls == 0)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        var calls = app.AppCalls;
        gate.SetResult();
        var answers = await Task.WhenAll(asking);

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(1, calls);
        Assert.InRange(app.AppCalls, 1, 2); // The second one is the subscription's first renewal.
    }

    [Fact]
    public async Task An_unknown_app_is_answered_404_and_remembered_for_a_moment()
    {
        await using var gateway = await TestGateway.Start(platform);

        var first = await gateway.Ask("nobody");
        var second = await gateway.Ask("nobody");

        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (first.Status, first.Type));
        Assert.Equal(HttpStatusCode.NotFound, second.Status);
        Assert.Equal(1, _script.App("nobody").AppCalls);
    }

    [Fact]
    public async Task An_app_that_appears_is_found_when_the_memory_of_its_absence_is_over()
    {
        await using var backend = await Backend.Start("late-1");
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { Negative = TimeSpan.FromMilliseconds(20) });
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Ask("late")).Status);

        _script.App("late").Put(Region, backend.Endpoint);
        var answer = await Eventually.Get(() => gateway.Ask("late"), got => got.Status == HttpStatusCode.OK);

        Assert.Equal("late-1", answer.Body);
    }

    [Theory]
    [InlineData("bad_name.localhost")]
    [InlineData("-x.localhost")]
    [InlineData("10.1.2.3")]
    public async Task What_is_no_host_name_is_refused_without_a_grain_call(string host)
    {
        await using var gateway = await TestGateway.Start(platform);
        var answer = await gateway.Ask(host);

        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (answer.Status, answer.Type));
        Assert.False(_script.OwnerCalls.ContainsKey(host));
    }

    [Fact]
    public async Task Beyond_the_limit_of_names_being_learned_requests_are_sent_away()
    {
        var gate = new TaskCompletionSource();
        _script.App("flood-1").Gate = gate.Task;
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { MaxResolving = 1 });

        var first = gateway.Ask("flood-1");
        while (_script.App("flood-1").AppCalls == 0)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        var second = await gateway.Ask("flood-2");
        gate.SetResult();

        Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (second.Status, second.RetryAfter));
        Assert.Equal(HttpStatusCode.NotFound, (await first).Status);
        Assert.Equal(0, _script.App("flood-2").AppCalls);
    }

    [Fact]
    public async Task A_custom_host_name_leads_to_its_owner_until_the_app_gives_it_up()
    {
        await using var backend = await Backend.Start("own-1");
        var app = _script.App("own");
        app.Put(Region, backend.Endpoint);
        app.SetHostnames("shop.example.com");
        _script.Owners["shop.example.com"] = "own";
        await using var gateway = await TestGateway.Start(platform);

        Assert.Equal("own-1", (await gateway.Ask("Shop.Example.com")).Body);
        Assert.Equal("own-1", (await gateway.Ask("own")).Body);

        _script.Owners.TryRemove("shop.example.com", out _);
        app.SetHostnames();
        await app.PushApp();
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Ask("shop.example.com")).Status);
        Assert.Equal("own-1", (await gateway.Ask("own")).Body);
    }

    [Fact]
    public async Task A_deleted_app_is_gone_at_once()
    {
        await using var backend = await Backend.Start("gone-1");
        var app = _script.App("gone");
        app.Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        Assert.Equal("gone-1", (await gateway.Ask("gone")).Body);

        app.Delete();
        await app.PushApp();

        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Ask("gone")).Status);
        Assert.Equal(0, gateway.Routes.Count);
    }

    [Fact]
    public async Task The_own_region_serves_first_and_others_when_it_has_nothing()
    {
        await using var near = await Backend.Start("near-1");
        await using var far = await Backend.Start("far-1");
        var app = _script.App("regions");
        app.Put("eu-1", near.Endpoint);
        app.Put("us-1", far.Endpoint);
        await using var gateway = await TestGateway.Start(platform, region: "eu-1");

        for (var i = 0; i < 6; i++)
            Assert.Equal("near-1", (await gateway.Ask("regions")).Body);
        await app.TableWatched;
        await app.Push("eu-1");

        Assert.Equal("far-1", (await gateway.Ask("regions")).Body);
    }

    [Fact]
    public async Task The_api_is_reached_by_its_names_and_by_loopback_addresses()
    {
        await using var silo = await Backend.Start("silo", context => context.Response.WriteAsync("api" + context.Request.Path));
        _script.Api = ["http://" + silo.Endpoint.Address];
        await using var gateway = await TestGateway.Start(platform);
        await Eventually.Get(() => Task.FromResult(gateway.Routes.Api.View), view => !view.IsEmpty);

        foreach (var host in (string[])["api.localhost", "localhost.", "127.0.0.1", "127.0.0.9"])
            Assert.Equal("api/v1/apps", (await gateway.Ask(host, path: "/v1/apps")).Body);
    }

    [Fact]
    public async Task A_silo_that_takes_requests_and_does_not_answer_gets_none_until_it_does()
    {
        var frozen = new TaskCompletionSource();
        await using var alive = await Backend.Start("silo-alive", context => context.Response.WriteAsync("alive"));
        await using var silent = await Backend.Start("silo-silent", async context =>
        {
            await frozen.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("thawed");
        });
        _script.Api = ["http://" + alive.Endpoint.Address, "http://" + silent.Endpoint.Address];
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { ApiSilent = TimeSpan.FromMilliseconds(200) });
        await Eventually.Get(() => Task.FromResult(gateway.Routes.Api.View.Near), silos => silos.Any(silo => silo.IsSilent));

        for (var i = 0; i < 6; i++)
            Assert.Equal("alive", (await gateway.Ask("api.localhost", path: "/v1/apps")).Body);
        frozen.SetResult();

        Assert.Equal("thawed", await Eventually.Get(async () => (await gateway.Ask("api.localhost", path: "/v1/apps")).Body, body => body == "thawed"));
    }

    [Fact]
    public async Task Ten_thousand_apps_are_known_at_once()
    {
        await using var backend = await Backend.Start("many-1");
        await using var gateway = await TestGateway.Start(platform);
        // What one thread allocates bounds what is kept, and the other tests of this process have no part in it.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            gateway.Routes.Learn(Routes.Of($"many-{i}", Region, 1, backend.Endpoint), $"many-{i}.localhost");
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 10_000;

        Assert.Equal(10_000, gateway.Routes.Count);
        Assert.Equal("many-1", (await gateway.Ask("many-9999")).Body);
        Assert.InRange(bytes, 1, 8192);
        TestContext.Current.SendDiagnosticMessage("{0} bytes an app", bytes);
    }
}

internal static class Routes
{
    public static AppRoute Of(string app, string region, long number, params RouteEndpoint[] endpoints) => new()
    {
        App = app,
        Version = new RouteVersion(1, number),
        Regions = [new RouteTable { App = app, Region = region, Version = new RouteVersion(1, number), Endpoints = endpoints }],
    };
}

internal static class Eventually
{
    /// <summary>Asks again until the answer is as wanted, for at most 10 s; the last answer.</summary>
    public static async Task<T> Get<T>(Func<Task<T>> ask, Func<T, bool> wanted)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var answer = await ask();
        while (!wanted(answer) && !deadline.IsCancellationRequested)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            answer = await ask();
        }
        return answer;
    }
}
