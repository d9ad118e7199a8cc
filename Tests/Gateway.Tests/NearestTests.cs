using System.Net;
using CsCheck;
using Hosting.Gateway.Proxy;
using Hosting.Gateway.Routing;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

public sealed class NearestTests(Platform platform)
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;
    private readonly Script _script = platform.Script;

    [Fact]
    public async Task A_saturated_region_is_helped_by_another_and_serves_again_when_it_is_not()
    {
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new SemaphoreSlim(0);
        await using var near = await Backend.Start("near-1", async context =>
        {
            arrived.Release();
            if (context.Request.Path == "/slow")
                await finish.Task;
            await context.Response.WriteAsync("near-1");
        });
        await using var far = await Backend.Start("far-1");
        _script.App("saturated").Put("eu-1", near.Endpoint);
        _script.App("saturated").Put("us-1", far.Endpoint);
        await using var gateway = await TestGateway.Start(platform, region: "eu-1", saturatedAt: 2);

        var slow = new[] { gateway.Ask("saturated", path: "/slow"), gateway.Ask("saturated", path: "/slow") };
        await arrived.WaitAsync(Stop);
        await arrived.WaitAsync(Stop);
        Assert.Equal("us-1/far-1", await Route(gateway, "saturated"));
        finish.SetResult();
        await Task.WhenAll(slow);

        Assert.Equal("eu-1/near-1", await Eventually.Get(() => Route(gateway, "saturated"), route => route == "eu-1/near-1"));
    }

    [Fact]
    public async Task The_way_of_a_request_is_told_on_request_with_what_it_tried_in_vain()
    {
        using var dead = new ClosedPort("near-dead");
        await using var far = await Backend.Start("far-2");
        _script.App("told").Put("eu-1", dead.Endpoint);
        _script.App("told").Put("us-1", far.Endpoint);
        await using var gateway = await TestGateway.Start(platform, region: "eu-1");

        Assert.Equal("eu-1/near-dead, us-1/far-2", await Route(gateway, "told"));
        Assert.Equal("us-1/far-2", await Route(gateway, "told")); // Left out for a second after it refused.
        Assert.Null(await Route(gateway, "told", ask: "0"));
        Assert.Null(await Route(gateway, "told", ask: null));
    }

    [Fact]
    public async Task A_request_that_nobody_took_is_told_where_it_was_tried_too()
    {
        using var dead = new ClosedPort("dead-3");
        _script.App("vain").Put("eu-1", dead.Endpoint);
        await using var gateway = await TestGateway.Start(platform, region: "us-1", park: TimeSpan.FromSeconds(0));

        Assert.Equal("eu-1/dead-3", await Route(gateway, "vain", status: HttpStatusCode.ServiceUnavailable));
    }

    [Fact]
    public void Nobody_is_asked_far_away_while_somebody_near_accepts_and_is_not_saturated() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 4], Gen.Int[0, 5].Array[0, 4], Gen.UInt, Gen.UInt).Sample((nearLoad, farLoad, turn, random) =>
        {
            const int Saturated = 3;
            var (near, far) = (Loaded(nearLoad), Loaded(farLoad));
            var chosen = ReplicaChoice.Choose(new ReplicaView(near, far), turn, random, null, TimeProvider.System, Saturated);
            if (near.Any(r => r.InFlight < Saturated))
                return near.Contains(chosen) && chosen!.InFlight < Saturated;
            if (far.Any(r => r.InFlight < Saturated))
                return far.Contains(chosen) && chosen!.InFlight < Saturated;
            return near.Length > 0 ? near.Contains(chosen) : far.Length > 0 ? far.Contains(chosen) : chosen is null;
        });

    [Fact]
    public void Who_does_not_ask_costs_no_memory()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Host = "shop.localhost";
        context.Request.Headers.Append("X-Other", "1");
        var view = new ReplicaView(Loaded([1, 0, 2]), Loaded([0]));
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Once();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Once()
        {
            RouteTaken.Note(context, ReplicaChoice.Choose(view, 1, 2, null, TimeProvider.System, 100)!);
            RouteTaken.Tell(context);
        }
    }

    private static Replica[] Loaded(int[] inFlight) => [.. inFlight.Select((requests, i) =>
    {
        var replica = Replica.TryCreate($"c-{i}", $"http://127.0.0.1:{i + 1}/", "eu-1")!;
        for (var n = 0; n < requests; n++)
            replica.TryEnter();
        return replica;
    })];

    private static async Task<string?> Route(TestGateway gateway, string app, string? ask = "1", HttpStatusCode status = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = app + ".localhost";
        if (ask is not null)
            request.Headers.Add("X-Hosting-Explain", ask);
        using var response = await gateway.Http.SendAsync(request, Stop);
        Assert.Equal(status, response.StatusCode);
        return response.Headers.TryGetValues("X-Hosting-Route", out var route) ? route.Single() : null;
    }
}
