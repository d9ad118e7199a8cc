using System.Net.WebSockets;
using Hosting.Gateway.Routing;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

/// <summary>What a gateway says it has in flight for containers that leave, through the observer that the control plane calls.</summary>
public sealed class InFlightTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_counts_until_it_is_answered_also_after_its_container_left_the_routes()
    {
        var (arrived, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var slow = await Backend.Start("fly-1", async context =>
        {
            arrived.TrySetResult();
            await finish.Task;
            await context.Response.WriteAsync("done");
        });
        await using var other = await Backend.Start("fly-2");
        var app = _script.App("fly");
        app.Put(Region, slow.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        var asking = gateway.Ask("fly");
        await arrived.Task.WaitAsync(Stop);
        await app.TableWatched;

        app.Put(Region, other.Endpoint);
        Assert.Null(await app.InFlight(Region, "fly-1")); // It does not know the newest table yet, so more may come.
        await app.Push(Region, other.Endpoint);
        Assert.Equal([1, 0, 0], await app.InFlight(Region, "fly-1", "fly-2", "unknown"));
        Assert.Equal("fly-2", (await gateway.Ask("fly")).Body);
        Assert.Equal([1, 0], await app.InFlight(Region, "fly-1", "fly-2"));

        finish.SetResult();
        Assert.Equal("done", (await asking).Body);
        Assert.Equal([0], await Eventually.Get(() => app.InFlight(Region, "fly-1"), counts => counts is [0]));
    }

    [Fact]
    public async Task A_web_socket_counts_until_it_is_closed()
    {
        await using var backend = await Backend.Start("sock-1", async context =>
        {
            using var accepted = await context.WebSockets.AcceptWebSocketAsync();
            await accepted.ReceiveAsync(new byte[16], context.RequestAborted);
            await accepted.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        var app = _script.App("sock");
        app.Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "sock.localhost");
        await socket.ConnectAsync(new UriBuilder(gateway.Address) { Scheme = "ws" }.Uri, Stop);
        await app.TableWatched;

        await app.Push(Region);
        Assert.Equal([1], await app.InFlight(Region, "sock-1"));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        Assert.Equal([0], await Eventually.Get(() => app.InFlight(Region, "sock-1"), counts => counts is [0]));
    }

    [Fact]
    public async Task An_app_with_a_request_in_flight_is_not_forgotten()
    {
        var (arrived, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var slow = await Backend.Start("long-1", async context =>
        {
            arrived.TrySetResult();
            await finish.Task;
        });
        _script.App("long").Put(Region, slow.Endpoint);
        await using var gateway = await TestGateway.Start(platform, TestGateway.Quick with { Idle = TimeSpan.FromMilliseconds(100) });
        var asking = gateway.Ask("long");
        await arrived.Task.WaitAsync(Stop);
        var calls = _script.App("brief");
        await using var brief = await Backend.Start("brief-1");
        calls.Put(Region, brief.Endpoint);
        await gateway.Ask("brief");

        Assert.Equal(1, await Eventually.Get(() => Task.FromResult(gateway.Routes.Count), count => count == 1));
        Assert.Equal("long", gateway.Routes.Apps.Single().Name);
        finish.SetResult();
        await asking;
        Assert.Equal(0, await Eventually.Get(() => Task.FromResult(gateway.Routes.Count), count => count == 0));
    }

    [Fact]
    public async Task A_replica_that_is_retired_takes_no_request_on_and_counts_down_to_none()
    {
        var replica = Replica.TryCreate("a", "http://127.0.0.1:1")!;
        var entered = 0;
        var start = new TaskCompletionSource();
        var racers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            await start.Task;
            for (var i = 0; i < 20_000; i++)
            {
                if (replica.TryEnter())
                    Interlocked.Increment(ref entered);
            }
        }, Stop)).ToArray();
        start.SetResult();
        await Task.Yield();
        replica.Retire();
        await Task.WhenAll(racers);

        Assert.Equal(entered, replica.InFlight);
        Assert.False(replica.TryEnter());
        for (var i = 0; i < entered; i++)
            replica.Leave();
        Assert.Equal(0, replica.InFlight);
    }
}
