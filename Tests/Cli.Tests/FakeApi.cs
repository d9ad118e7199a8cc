using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Hosting.Cli.Tests;

/// <summary>A request that the command line made.</summary>
internal sealed record Seen(string Method, string Path, string Body, string? LastEventId);

/// <summary>An HTTP server on loopback that answers as it is told.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new();

    private FakeApi(WebApplication app) => _app = app;

    public ConcurrentQueue<Seen> Requests { get; } = new();

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<FakeApi> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var api = new FakeApi(app);
        app.Run(api.Answer);
        await app.StartAsync();
        return api;
    }

    /// <summary>Answers a method and path (with its query) in the same way each time.</summary>
    public FakeApi On(string request, int status, string json, params (string Name, string Value)[] headers) =>
        On(request, async http =>
        {
            foreach (var (name, value) in headers) http.Response.Headers[name] = value;
            http.Response.StatusCode = status;
            http.Response.ContentType = status < 400 ? "application/json; charset=utf-8" : "application/problem+json";
            await http.Response.WriteAsync(json);
        });

    /// <summary>Answers the first request with the first text, the second with the second, and so on; the last one stays.</summary>
    public FakeApi OnEach(string request, params string[] jsons)
    {
        var next = -1;
        return On(request, http => http.Response.WriteAsync(jsons[Math.Min(Interlocked.Increment(ref next), jsons.Length - 1)]));
    }

    public FakeApi On(string request, Func<HttpContext, Task> answer)
    {
        _answers[request] = answer;
        return this;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>An address on loopback where nobody listens.</summary>
    public static string NobodyThere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
    }

    private async Task Answer(HttpContext http)
    {
        using var body = new StreamReader(http.Request.Body);
        var path = http.Request.Path + http.Request.QueryString;
        Requests.Enqueue(new(http.Request.Method, path, await body.ReadToEndAsync(), http.Request.Headers["Last-Event-ID"]));
        if (_answers.TryGetValue($"{http.Request.Method} {path}", out var answer)) await answer(http);
        else http.Response.StatusCode = 418;
    }
}
