using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hosting.Gateway.Tests;

public sealed class StreamingTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Web_sockets_pass_in_both_directions()
    {
        await using var backend = await Backend.Start("ws-1", EchoSocket);
        _script.App("ws").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", "ws.localhost");
        await socket.ConnectAsync(new UriBuilder(gateway.Address) { Scheme = "ws" }.Uri, Stop);
        await socket.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, true, Stop);
        var buffer = new byte[64];
        var received = await socket.ReceiveAsync(buffer, Stop);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);

        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, received.Count));
    }

    [Fact]
    public async Task Server_sent_events_arrive_one_by_one()
    {
        var next = new SemaphoreSlim(0);
        await using var backend = await Backend.Start("sse-1", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
                await next.WaitAsync(context.RequestAborted);
            }
        });
        _script.App("sse").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "sse.localhost";
        using var response = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync(Stop));
            await reader.ReadLineAsync(Stop);
            next.Release(); // The next event is sent only after this one arrived.
        }

        Assert.Null(await reader.ReadLineAsync(Stop));
    }

    [Fact]
    public async Task Large_bodies_pass_in_both_directions()
    {
        var body = new byte[40 * 1024 * 1024];
        Random.Shared.NextBytes(body);
        await using var backend = await Backend.Start("large-1", async context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
                await context.Response.Body.WriteAsync(body, context.RequestAborted);
            else
                await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted)));
        });
        _script.App("large").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        var sent = await gateway.Ask("large", HttpMethod.Post, new ByteArrayContent(body));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "large.localhost";
        using var response = await gateway.Http.SendAsync(request, Stop);

        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), sent.Body);
        Assert.Equal(sent.Body, Convert.ToHexString(SHA256.HashData(await response.Content.ReadAsByteArrayAsync(Stop))));
    }

    [Fact]
    public async Task The_container_is_told_who_asked_and_not_what_the_client_claims()
    {
        await using var backend = await Backend.Start("who-1", context => context.Response.WriteAsync(
            $"{context.Request.Headers["X-Forwarded-For"]} {context.Request.Headers["X-Forwarded-Proto"]} {context.Request.Headers["X-Forwarded-Host"]}"));
        _script.App("who").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "who.localhost:8080";
        request.Headers.Add("X-Forwarded-For", "6.6.6.6");
        using var response = await gateway.Http.SendAsync(request, Stop);

        Assert.Equal("127.0.0.1 http who.localhost:8080", await response.Content.ReadAsStringAsync(Stop));
    }

    private static async Task EchoSocket(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
                break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
