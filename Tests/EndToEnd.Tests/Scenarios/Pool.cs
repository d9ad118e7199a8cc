using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hosting.EndToEnd.Tests.Scenarios;

[CollectionDefinition(Name)]
public sealed class OnePool : ICollectionFixture<Pool>
{
    public const string Name = "pool";
}

/// <summary>A region of three servers, each a control group with a third of this machine, and two silos, shared by all scenarios.</summary>
public class Pool : IAsyncLifetime
{
    public const string Region = "eu-1";

    private readonly Stack _stack;
    private readonly string[] _shape;

    public Pool() : this("pool", "--servers", "3", "--regions", "1", "--silos", "2")
    {
    }

    /// <summary>A stack of another shape.</summary>
    /// <param name="name">Its name, for its folder.</param>
    /// <param name="shape">Options of <c>infra/up</c>.</param>
    protected Pool(string name, params string[] shape) =>
        (_stack, _shape) = (new Stack(Path.Combine(Path.GetTempPath(), $"hosting-{name}-{Environment.ProcessId}")), shape);

    public static IReadOnlyList<string> Servers { get; } = ["srv-01", "srv-02", "srv-03"];

    public Stack Stack => _stack;

    public async ValueTask InitializeAsync()
    {
        var up = await _stack.Run("infra/up", _shape);
        Assert.True(up.ExitCode == 0, $"infra/up failed:\n{up.Output}\n{up.Error}");
        await _stack.Hosting("delete", "hello", "--wait");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _stack.DisposeAsync();
    }

    /// <summary>Back to the policy a region begins with, all servers open, no app left, and every server taking containers.</summary>
    public async Task Calm()
    {
        foreach (var app in (await _stack.Get("apps")).AsArray())
            await _stack.Hosting("delete", Text(app, "name"), "--wait");
        await Policy(new { thresholds = new { admit = 0.6, evict = 0.8 }, evictAfterSeconds = 5, lostAfterSeconds = 10, cooldownSeconds = 300, movesAtOnce = 20, movesPerMinute = 120 });
        await Task.WhenAll(Servers.Select(server => Await(async () => await Admits(server), $"{server} takes containers")));
    }

    public Task Policy(object change) => _stack.Patch($"regions/{Region}", change);

    /// <summary>Deploys the sample and waits until all replicas answer.</summary>
    public async Task Deploy(string app, int replicas, object? more = null)
    {
        var spec = JsonSerializer.SerializeToNode(new { image = "hosting/hello:1", port = 8080, cpuMillis = 20, memoryMiB = 32, replicas })!.AsObject();
        foreach (var (key, value) in JsonSerializer.SerializeToNode(more ?? new { })!.AsObject().ToList())
            spec[key] = value?.DeepClone();
        using var answer = await _stack.Put(app, spec);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        await Running(app);
    }

    /// <summary>Waits until the app says that all is well.</summary>
    public Task Running(string app) => Await(async () =>
    {
        var status = await _stack.Get($"apps/{app}");
        return Text(status, "phase") == "Running" && (int)status["ready"]! == (int)status["desired"]!
            && await Containers(app) is var containers && containers.Count == (int)status["desired"]! && containers.All(c => c.Revision == (int)status["revision"]!);
    }, $"{app} runs");

    public async Task<JsonNode> App(string app) => await _stack.Get($"apps/{app}");

    public async Task<JsonNode> Server(string server) => await _stack.Get($"servers/{Region}/{server}");

    public async Task<bool> Admits(string server) => (bool)(await Server(server))["admitting"]!;

    /// <summary>Deployment records that are not over, by app and server.</summary>
    public async Task<IReadOnlyList<Replica>> Containers(string? app = null, string? server = null)
    {
        var query = $"containers?{(app is null ? "" : $"app={app}&")}{(server is null ? "" : $"server={Region}/{server}")}";
        return [.. (await _stack.Get(query)).AsArray().Select(c => new Replica(
            Text(c, "id"), Text(c, "app"), (int)c!["revision"]!, Text(c, "server"), Text(c, "vm"), Text(c, "state"), (bool)c["healthy"]!, (string?)c["startedAt"] ?? ""))];
    }

    /// <summary>A server with a replica of the app.</summary>
    public async Task<string> ServerOf(string app) => (await Containers(app)).Select(c => c.Server).Order(StringComparer.Ordinal).First();

    /// <summary>Where the log of events ends now.</summary>
    public async Task<long> Now() => (await _stack.Get("events?limit=1")).AsArray().Select(e => (long)e!["id"]!).FirstOrDefault();

    /// <summary>What has happened since, a line each.</summary>
    public async Task<IReadOnlyList<Happening>> Since(long id) =>
        [.. (await _stack.Get($"events?after={id}&limit=1000")).AsArray().Select(e => new Happening(
            DateTimeOffset.Parse(Text(e, "at"), CultureInfo.InvariantCulture), Text(e, "kind"), (string?)e!["server"] ?? "", (string?)e["app"] ?? "", Text(e, "message")))];

    /// <summary>Waits for a condition; when it does not come, says how everything stands.</summary>
    public async Task Await(Func<Task<bool>> condition, string what, int seconds = 60)
    {
        try
        {
            await Stack.Eventually(condition, what, seconds);
        }
        catch (Xunit.Sdk.XunitException late)
        {
            Assert.Fail($"{late.Message}\n{await Story()}");
        }
    }

    /// <summary>How everything stands, and what happened last.</summary>
    public async Task<string> Story()
    {
        var apps = (await _stack.Get("apps")).AsArray().Select(a => $"{Text(a, "name")}: {Text(a, "phase")}, {a!["message"]}");
        var servers = (await _stack.Get("servers")).AsArray().Select(s => $"{Text(s, "id")}: {s!["notAdmittingReason"] ?? "admits"}, {s["utilization"]?.ToJsonString()}");
        var containers = (await Containers()).Select(c => c.ToString());
        var events = (await _stack.Get("events?limit=40")).AsArray().Select(e => $"{e!["at"]} {e["kind"]} {e["message"]}");
        return string.Join('\n', [.. apps, .. servers, .. containers, .. events]);
    }

    private static string Text(JsonNode? node, string field) => (string)node![field]!;
}

/// <summary>A deployment record.</summary>
public sealed record Replica(string Id, string App, int Revision, string Server, string Vm, string State, bool Healthy, string StartedAt);

/// <summary>An event of the platform.</summary>
public sealed record Happening(DateTimeOffset At, string Kind, string Server, string App, string Message);
