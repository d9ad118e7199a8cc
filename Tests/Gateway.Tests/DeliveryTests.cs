using System.Net;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

public sealed class DeliveryTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    [Fact]
    public async Task A_replica_that_refuses_connections_costs_no_request_not_even_one_with_a_body()
    {
        await using var alive = await Backend.Start("refuse-ok", Echo);
        using var dead1 = new ClosedPort("refuse-dead-1");
        using var dead2 = new ClosedPort("refuse-dead-2");
        _script.App("refuse").Put(Region, dead1.Endpoint, alive.Endpoint, dead2.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        for (var i = 0; i < 30; i++)
        {
            var answer = await gateway.Ask("refuse", HttpMethod.Post, new StringContent("order " + i));
            Assert.Equal((HttpStatusCode.OK, "order " + i), (answer.Status, answer.Body));
        }
    }

    [Fact]
    public async Task A_get_that_was_reset_before_a_byte_is_answered_by_another_replica()
    {
        await using var broken = new ResettingBackend("reset-bad");
        await using var alive = await Backend.Start("reset-ok");
        _script.App("reset").Put(Region, broken.Endpoint, alive.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        for (var i = 0; i < 10; i++)
            Assert.Equal("reset-ok", (await gateway.Ask("reset")).Body);
        Assert.True(broken.Requests > 0);
    }

    [Fact]
    public async Task A_get_whose_answer_ended_after_its_head_is_answered_by_another_replica()
    {
        await using var broken = new ResettingBackend("head-bad", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        await using var alive = await Backend.Start("head-ok");
        _script.App("head").Put(Region, broken.Endpoint, alive.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        for (var i = 0; i < 10; i++)
            Assert.Equal("head-ok", (await gateway.Ask("head")).Body);
        Assert.True(broken.Requests > 0);
    }

    [Fact]
    public async Task A_post_that_was_reset_is_not_repeated()
    {
        await using var broken = new ResettingBackend("post-bad");
        await using var alive = await Backend.Start("post-ok");
        _script.App("post").Put(Region, broken.Endpoint, alive.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var answers = new List<Answer>();
        for (var i = 0; i < 6; i++)
            answers.Add(await gateway.Ask("post", HttpMethod.Post, new StringContent("pay once")));

        var failed = answers.Where(answer => answer.Status != HttpStatusCode.OK).ToArray();
        Assert.NotEmpty(failed);
        Assert.Equal(broken.Requests, failed.Length);
        Assert.All(failed, answer => Assert.Equal((HttpStatusCode.BadGateway, "application/problem+json", true), (answer.Status, answer.Type, answer.RetryAfter)));
    }

    [Fact]
    public async Task A_get_that_every_replica_resets_ends_after_three_tries()
    {
        await using var broken = new ResettingBackend("always-bad");
        _script.App("always").Put(Region, broken.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var answer = await gateway.Ask("always");

        Assert.Equal(HttpStatusCode.BadGateway, answer.Status);
        Assert.Equal(3, broken.Requests);
    }

    [Fact]
    public async Task A_get_that_replicas_of_a_dying_vm_reset_waits_for_what_comes_after_them()
    {
        ResettingBackend[] dying = [new("dying-1"), new("dying-2"), new("dying-3"), new("dying-4")];
        await using var next = await Backend.Start("dying-next");
        var app = _script.App("dying");
        app.Put(Region, [.. dying.Select(replica => replica.Endpoint)]);
        await using var gateway = await TestGateway.Start(platform);

        var asking = gateway.Ask("dying");
        await Eventually.Get(() => Task.FromResult(dying.Sum(replica => replica.Requests)), resets => resets == 2);
        foreach (var replica in dying)
            await replica.DisposeAsync();
        app.Put(Region, next.Endpoint);

        Assert.Equal("dying-next", (await asking).Body);
        Assert.Equal(2, dying.Sum(replica => replica.Requests));
    }

    [Fact]
    public async Task An_error_of_the_app_itself_is_passed_on()
    {
        await using var backend = await Backend.Start("err-1", context =>
        {
            context.Response.StatusCode = 503;
            return context.Response.WriteAsync("the app's own words");
        });
        _script.App("err").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var answer = await gateway.Ask("err");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the app's own words"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task A_request_waits_for_the_first_container()
    {
        await using var backend = await Backend.Start("wait-1");
        var app = _script.App("wait");
        app.Put(Region);
        await using var gateway = await TestGateway.Start(platform);

        var asking = gateway.Ask("wait", HttpMethod.Post, new StringContent("patient"));
        await app.TableWatched;
        Assert.False(asking.IsCompleted);
        await app.Push(Region, backend.Endpoint);

        Assert.Equal("wait-1", (await asking).Body);
    }

    [Fact]
    public async Task A_request_waits_for_a_replacement_when_the_only_container_died()
    {
        await using var backend = await Backend.Start("swap-2");
        using var dead = new ClosedPort("swap-1");
        var app = _script.App("swap");
        app.Put(Region, dead.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var asking = gateway.Ask("swap");
        await app.TableWatched;
        await app.Push(Region, backend.Endpoint);

        Assert.Equal("swap-2", (await asking).Body);
    }

    [Fact]
    public async Task Waiting_ends_with_an_answer_that_says_why()
    {
        using var dead = new ClosedPort("never-1");
        _script.App("never").Put(Region);
        _script.App("refused").Put(Region, dead.Endpoint);
        await using var gateway = await TestGateway.Start(platform, park: TimeSpan.FromSeconds(1));

        var empty = await gateway.Ask("never");
        var refused = await gateway.Ask("refused");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json", true), (empty.Status, empty.Type, empty.RetryAfter));
        Assert.Contains("no healthy container", empty.Body);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);
        Assert.Contains("accepted a connection", refused.Body);
    }

    [Fact]
    public async Task Only_a_limited_number_of_requests_waits()
    {
        await using var backend = await Backend.Start("full-1");
        var app = _script.App("full");
        app.Put(Region);
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { MaxParkedPerApp = 3 });

        var asking = Enumerable.Range(0, 10).Select(_ => gateway.Ask("full")).ToList();
        var refused = new List<Answer>();
        while (refused.Count < 7)
        {
            var done = await Task.WhenAny(asking);
            asking.Remove(done);
            refused.Add(await done);
        }
        await app.TableWatched;
        await app.Push(Region, backend.Endpoint);

        Assert.All(refused, answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (answer.Status, answer.RetryAfter)));
        Assert.All(await Task.WhenAll(asking), answer => Assert.Equal("full-1", answer.Body));
    }

    [Fact]
    public async Task The_api_without_a_silo_is_answered_503_after_a_short_wait()
    {
        await using var gateway = await TestGateway.Start(
            (_, stop) => Task.Delay(Timeout.Infinite, stop).ContinueWith<ControlPlane.ConnectedClient>(_ => throw new OperationCanceledException(), TaskScheduler.Default),
            TestGateway.Quick with { ApiPark = TimeSpan.FromMilliseconds(300) });

        var answer = await gateway.Ask("api.localhost", HttpMethod.Put, new StringContent("{}"), "/v1/apps/x");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json", true), (answer.Status, answer.Type, answer.RetryAfter));
    }

    private static async Task Echo(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        await context.Response.WriteAsync(await reader.ReadToEndAsync(context.RequestAborted));
    }
}
