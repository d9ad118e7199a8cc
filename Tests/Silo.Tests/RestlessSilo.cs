using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Hosting.Silo.Tests;

/// <summary>A silo whose regions have little patience, and which notes what its replica sets are asked.</summary>
public sealed class RestlessSilo : IAsyncLifetime
{
    /// <summary>Region of most tests.</summary>
    public const string Region = "eu-1";

    /// <summary>A region of its own for the test that needs another policy.</summary>
    public const string SmallBudget = "us-1";

    private PostgresServer _postgres = null!;
    private RunningSilo _silo = null!;
    private string _connection = null!;

    public Asked Asked { get; } = new();

    public string Hub => _silo.Hub;

    public HttpClient Api => _silo.Api;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        _connection = await _postgres.CreateDatabase();
        await Start();
        await Patch($"/v1/regions/{Region}", new { evictAfterSeconds = 1, lostAfterSeconds = 6, cooldownSeconds = 77 });
        await Patch($"/v1/regions/{SmallBudget}", new { evictAfterSeconds = 1, movesAtOnce = 2 });
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>The control plane goes and comes back.</summary>
    public async Task Restart()
    {
        await _silo.DisposeAsync();
        await Start();
    }

    /// <summary>A server that only apps of the same label are placed on.</summary>
    public Task<SimulatedAgent> Agent(string server, string only, int vms = 2, string region = Region) =>
        SimulatedAgent.Connect(Hub, region, server, vms, change: h => h.Labels.Add("only", only));

    /// <summary>Deploys an app on the servers of its label, and answers its containers once they are healthy.</summary>
    public async Task<IReadOnlyList<JsonNode>> Deploy(string app, int replicas = 1, string region = Region, int cpu = 100)
    {
        var spec = new { image = "shop:1", port = 80, replicas, cpuMillis = cpu, memoryMiB = 16, regions = new[] { region }, constraints = new { only = app } };
        await Api.PutAsJsonAsync($"/v1/apps/{app}", spec);
        await Eventually(async () => (int)(await Get($"/v1/apps/{app}"))["ready"]! == replicas, $"{app} runs");
        return [.. (await Get($"/v1/apps/{app}/containers")).AsArray().Select(c => c!)];
    }

    public async Task<JsonNode> Get(string path) => (await Api.GetFromJsonAsync<JsonNode>(path))!;

    public async Task<JsonNode> Patch(string path, object body)
    {
        var answer = await Api.PatchAsJsonAsync(path, body);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public async Task<JsonNode> Post(string path)
    {
        var answer = await Api.PostAsync(path, null);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!;
    }

    /// <summary>Waits for an event of a server, and answers its message.</summary>
    public async Task<string> Event(string server, string kind, string contains = "")
    {
        string? message = null;
        await Eventually(async () =>
        {
            var events = (await Get("/v1/events?limit=1000")).AsArray();
            message = events.Where(e => (string?)e!["server"] == server && (string?)e["kind"] == kind)
                .Select(e => (string?)e!["message"]).LastOrDefault(m => m!.Contains(contains));
            return message is not null;
        }, $"an event {kind} of {server}");
        return message!;
    }

    public static Task Eventually(Func<bool> condition, string what) => SiloUnderTest.Eventually(() => Task.FromResult(condition()), what);

    public static Task Eventually(Func<Task<bool>> condition, string what) => SiloUnderTest.Eventually(condition, what);

    /// <summary>Memory that the first VM of a server offers, as it is stored.</summary>
    public async Task<int> StoredMemory(string server)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(_connection);
        await using var command = source.CreateCommand($"SELECT memory_mib FROM vm WHERE server = '{server}' ORDER BY name LIMIT 1");
        return (int)(await command.ExecuteScalarAsync())!;
    }

    private async Task Start() =>
        _silo = await RunningSilo.Start(_connection, $"{Region},{SmallBudget}", change: services => services.AddSingleton<IIncomingGrainCallFilter>(Asked));
}
