using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Hosting.HostAgent.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hosting.HostAgent.Tests.Reconcile;

/// <summary>An engine with one container at most, which goes wrong where a test wants it to. Its own port is where the container answers.</summary>
internal sealed class ScriptedEngine : IAsyncDisposable
{
    /// <summary>What asks for it.</summary>
    public const string Create = "create", Inspect = "json";

    private readonly ConcurrentDictionary<string, Func<Task<bool>>> _before = new();
    private readonly WebApplication _app;
    private string? _state;
    private string _labels = "{}";

    private ScriptedEngine(WebApplication app) => _app = app;

    public ContainerEngine Client { get; private set; } = null!;

    public int Port { get; private set; }

    public static async Task<ScriptedEngine> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var engine = new ScriptedEngine(builder.Build());
        engine._app.Run(engine.AnswerAsync);
        await engine._app.StartAsync(TestContext.Current.CancellationToken);
        engine.Port = new Uri(engine._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        engine.Client = await ContainerEngine.ConnectAsync(new Uri($"tcp://127.0.0.1:{engine.Port}"), "test", TestContext.Current.CancellationToken);
        return engine;
    }

    /// <summary>The next such call does nothing, and its answer ends too early.</summary>
    public void Break(string call) => _before[call] = () => Task.FromResult(false);

    /// <summary>The next such call does nothing until the second task completes; the first one does when it has come.</summary>
    public (Task Called, TaskCompletionSource GoOn) Hold(string call)
    {
        TaskCompletionSource called = new(TaskCreationOptions.RunContinuationsAsynchronously), goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _before[call] = async () =>
        {
            called.SetResult();
            await goOn.Task;
            return true;
        };
        return (called.Task, goOn);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var call = path.EndsWith("/containers/json", StringComparison.Ordinal) ? "list" : path.Split('/')[^1];
        if (_before.TryRemove(call, out var before) && !await before())
            await http.Response.WriteAsync("""{"Id":""");
        else
            await AnswerAsync(http, call);
    }

    private async Task AnswerAsync(HttpContext http, string call)
    {
        if (call == "events")
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        else if (call == Create)
            (_state, _labels) = ("created", (await JsonDocument.ParseAsync(http.Request.Body)).RootElement.GetProperty("Labels").GetRawText());
        else if (call == "start")
            (_state, http.Response.StatusCode) = ("running", StatusCodes.Status204NoContent);
        else if (call == Inspect && _state is null)
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        var body = call switch
        {
            "version" => """{"ApiVersion":"1.41"}""",
            "list" => _state is null ? "[]" : $$"""[{"Id":"e","State":"{{_state}}","Labels":{{_labels}}}]""",
            Create => """{"Id":"e"}""",
            Inspect when _state is null => """{"message":"No such container: web-1"}""",
            Inspect => $$$"""{"Id":"e","State":{"Status":"{{{_state}}}","StartedAt":"2030-01-01T00:00:00Z"},"Config":{"Labels":{{{_labels}}}}}""",
            _ => "",
        };
        if (body.Length > 0)
            await http.Response.WriteAsync(body);
    }
}
