using System.Net;

namespace Hosting.Gateway.Tests;

public sealed class FreshnessTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    [Fact]
    public async Task A_push_is_in_force_when_it_is_confirmed()
    {
        await using var one = await Backend.Start("push-1");
        await using var two = await Backend.Start("push-2");
        var app = _script.App("push");
        app.Put(Region, one.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        Assert.Equal("push-1", (await gateway.Ask("push")).Body);
        await app.TableWatched;

        for (var i = 0; i < 20; i++)
        {
            var backend = i % 2 == 0 ? two : one;
            await app.Push(Region, backend.Endpoint);
            Assert.Equal(backend.Endpoint.Container, (await gateway.Ask("push")).Body);
        }
    }

    [Fact]
    public async Task An_older_push_changes_nothing()
    {
        await using var one = await Backend.Start("old-1");
        await using var two = await Backend.Start("old-2");
        var app = _script.App("old");
        var old = app.Put(Region, one.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        await gateway.Ask("old");
        await app.TableWatched;
        await app.Push(Region, two.Endpoint);

        await app.Push(old);

        Assert.Equal("old-2", (await gateway.Ask("old")).Body);
    }

    [Fact]
    public async Task A_lost_push_costs_one_renewal()
    {
        await using var one = await Backend.Start("lost-1");
        await using var two = await Backend.Start("lost-2");
        var app = _script.App("lost");
        app.Put(Region, one.Endpoint);
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { Renewal = TimeSpan.FromMilliseconds(200) });
        Assert.Equal("lost-1", (await gateway.Ask("lost")).Body);

        app.Put(Region, two.Endpoint);
        var answer = await Eventually.Get(() => gateway.Ask("lost"), got => got.Body == "lost-2");

        Assert.Equal("lost-2", answer.Body);
    }

    [Fact]
    public async Task A_new_region_is_learned_by_a_renewal()
    {
        await using var one = await Backend.Start("grow-1");
        await using var two = await Backend.Start("grow-2");
        var app = _script.App("grow");
        app.Put("eu-1", one.Endpoint);
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { Renewal = TimeSpan.FromMilliseconds(200) }, region: "us-1");
        Assert.Equal("grow-1", (await gateway.Ask("grow")).Body);

        app.Put("us-1", two.Endpoint);
        var answer = await Eventually.Get(() => gateway.Ask("grow"), got => got.Body == "grow-2");

        Assert.Equal("grow-2", answer.Body);
    }

    [Fact]
    public async Task An_app_that_nobody_asks_for_is_forgotten()
    {
        await using var backend = await Backend.Start("idle-1");
        _script.App("idle").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { Idle = TimeSpan.FromMilliseconds(300) });
        Assert.Equal("idle-1", (await gateway.Ask("idle")).Body);

        Assert.Equal(0, await Eventually.Get(() => Task.FromResult(gateway.Routes.Count), count => count == 0));
        Assert.Equal("idle-1", (await gateway.Ask("idle")).Body);
    }

    [Fact]
    public async Task Without_the_control_plane_known_apps_are_served_and_unknown_ones_answered_503()
    {
        await using var own = new Platform();
        await own.InitializeAsync();
        await using var backend = await Backend.Start("alone-1");
        own.Script.App("alone").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(own, TestGateway.Quick with { Renewal = TimeSpan.FromMilliseconds(200), Call = TimeSpan.FromSeconds(1) });
        Assert.Equal("alone-1", (await gateway.Ask("alone")).Body);

        await own.Kill();

        for (var i = 0; i < 20; i++)
            Assert.Equal("alone-1", (await gateway.Ask("alone")).Body);
        var unknown = await gateway.Ask("stranger");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, true), (unknown.Status, unknown.RetryAfter));
        Assert.Equal("alone-1", (await gateway.Ask("alone")).Body);
    }
}
