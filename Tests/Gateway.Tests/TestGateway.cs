using System.Net;
using Hosting.Gateway.ControlPlane;
using Hosting.Gateway.Routing;
using Hosting.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hosting.Gateway.Tests;

/// <summary>The gateway of the process, on a free loopback port.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TempFolder? _folder;

    private TestGateway(WebApplication app, GatewayOptions options, TempFolder? folder)
    {
        (_app, Options, _folder) = (app, options, folder);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Address = new Uri(addresses.First());
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public GatewayOptions Options { get; }

    public RoutingTable Routes => _app.Services.GetRequiredService<RoutingTable>();

    /// <summary>Times that tests can wait for.</summary>
    public static GatewayTimings Quick { get; } = new()
    {
        Renewal = TimeSpan.FromMinutes(5),
        RenewalTick = TimeSpan.FromMilliseconds(50),
        ApiRefresh = TimeSpan.FromMilliseconds(100),
        ApiHealth = TimeSpan.FromMilliseconds(50),
        Negative = TimeSpan.FromSeconds(1),
    };

    public static Task<TestGateway> Start(Platform platform, GatewayTimings? timings = null, string region = "", string? state = null, TimeSpan? park = null,
        int saturatedAt = 100, int drainSeconds = 0) =>
        Start(platform.Connect, timings, region, state, park, saturatedAt, drainSeconds);

    public static async Task<TestGateway> Start(
        ClientConnector? connect, GatewayTimings? timings = null, string region = "", string? state = null, TimeSpan? park = null,
        int saturatedAt = 100, int drainSeconds = 0)
    {
        var folder = state is null ? new TempFolder() : null;
        var options = new GatewayOptions
        {
            ConnectionString = "Host=127.0.0.1;Port=1;Database=none;Username=none",
            Address = IPAddress.Loopback,
            Port = 0,
            Region = region,
            SaturatedAt = saturatedAt,
            Drain = TimeSpan.FromSeconds(drainSeconds),
            StateDirectory = state ?? folder!.Path,
            Park = park ?? TimeSpan.FromSeconds(10),
        };
        var builder = GatewayApp.CreateBuilder([]);
        var app = GatewayApp.Build(builder, options, timings ?? Quick, connect);
        app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Test").LogDebug("Gateway of a test.");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestGateway(app, options, folder);
    }

    /// <summary>Asks for an app, or by a whole host name.</summary>
    public async Task<Answer> Ask(string host, HttpMethod? method = null, HttpContent? content = null, string path = "/")
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path) { Content = content };
        request.Headers.Host = host.Contains('.') || host.Length == 0 || host.Contains('_') ? host : host + ".localhost";
        request.Headers.Add("X-Hosting-Debug", "1");
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var container = response.Headers.TryGetValues("X-Hosting-Container", out var ids) ? ids.Single() : null;
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer(response.StatusCode, body, container, response.Headers.RetryAfter is not null, response.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>Stops it as SIGTERM does.</summary>
    public Task Stop() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _folder?.Dispose();
    }
}

/// <summary>What a user got.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, string? Container, bool RetryAfter, string? Type);
