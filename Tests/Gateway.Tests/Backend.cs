using System.Net;
using System.Net.Sockets;
using Hosting.Apps;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hosting.Gateway.Tests;

/// <summary>A container as a gateway sees it: a real HTTP server on loopback that answers with its name.</summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Backend(WebApplication app, string name)
    {
        _app = app;
        var url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Endpoint = new RouteEndpoint(name, url.Authority);
    }

    public RouteEndpoint Endpoint { get; }

    public static async Task<Backend> Start(string name, RequestDelegate? handler = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(handler ?? (context => context.Response.WriteAsync(name)));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new Backend(app, name);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}

/// <summary>A container that takes connections and resets each as soon as it has read something, or ends it after the head of an answer.</summary>
internal sealed class ResettingBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;
    private readonly byte[] _head;
    private int _requests;

    public ResettingBackend(string name, string head = "")
    {
        _head = System.Text.Encoding.ASCII.GetBytes(head);
        _listener.Start();
        Endpoint = new RouteEndpoint(name, _listener.LocalEndpoint.ToString()!);
        _serving = Serve();
    }

    public RouteEndpoint Endpoint { get; }

    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private async Task Serve()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                using var socket = await _listener.AcceptSocketAsync();
                if (await socket.ReceiveAsync(buffer) > 0)
                    Interlocked.Increment(ref _requests);
                if (_head.Length > 0)
                    await socket.SendAsync(_head);
                else
                    socket.LingerState = new LingerOption(true, 0);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}

/// <summary>An address that refuses connections, and that nobody else can take meanwhile.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort(string name)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint = new RouteEndpoint(name, _socket.LocalEndPoint!.ToString()!);
    }

    public RouteEndpoint Endpoint { get; }

    public void Dispose() => _socket.Dispose();
}
