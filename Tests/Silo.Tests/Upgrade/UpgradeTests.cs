using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grpc.Net.Client;
using Hosting.Protocol;
using Hosting.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;

namespace Hosting.Silo.Tests.Upgrade;

/// <summary>What the version before wrote, on disk and on wires, still loads and means the same.</summary>
public sealed partial class UpgradeTests : IAsyncLifetime
{
    private const string Grains = "grains.jsonl";
    private const string Agents = "agents.jsonl";
    private const string Database = "database.sql.gz";
    private PostgresServer _postgres = null!;
    private string _database = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        _database = await _postgres.CreateDatabase();
    }

    public async ValueTask DisposeAsync() => await _postgres.DisposeAsync();

    [Fact]
    public async Task A_database_of_the_version_before_is_taken_over_with_all_that_was_wanted_and_ran()
    {
        await Restore();
        await using var silo = await RunningSilo.Start(_database, "eu-1,us-1");
        var apps = (await silo.Api.GetFromJsonAsync<JsonArray>("/v1/apps"))!;
        Assert.Equal(["kept", "spread"], apps.Select(app => (string)app!["name"]!));
        var kept = apps[0]!;
        Assert.Equal((4, 2, "shop:2"), ((int)kept["revision"]!, (int)kept["desired"]!, (string)kept["spec"]!["image"]!));
        Assert.Equal(["shop.example.com"], kept["spec"]!["hostnames"]!.AsArray().Select(name => (string)name!));
        Assert.True((bool)apps[1]!["spec"]!["failover"]!);
        var revisions = (await silo.Api.GetFromJsonAsync<JsonArray>("/v1/apps/kept/revisions"))!;
        Assert.Equal([4, 3, 2, 1], revisions.Select(revision => (int)revision!["revision"]!));
        Assert.Equal(77, (int)(await silo.Api.GetFromJsonAsync<JsonArray>("/v1/regions"))![0]!["lostAfterSeconds"]!);
        var records = (await silo.Api.GetFromJsonAsync<JsonArray>("/v1/apps/kept/containers"))!;
        Assert.Equal(2, records.Count(c => (bool)c!["healthy"]!));
        Assert.NotEmpty((await silo.Api.GetFromJsonAsync<JsonArray>("/v1/events?app=kept"))!);
        var closed = (await silo.Api.GetFromJsonAsync<JsonNode>("/v1/servers/eu-1/srv-2"))!;
        Assert.Equal((true, 0.3), ((bool)closed["cordoned"]!, (double)closed["thresholds"]!["admit"]!));

        // The agents are back, one of them in the words that were recorded: what ran goes on, and the next revision is 5.
        await using var agent = await SimulatedAgent.Connect(silo.Hub, "eu-1", "srv-1");
        await SiloUnderTest.Eventually(() => Task.FromResult(records.All(c => agent.Running.Contains((string)c!["id"]!))), "the agent is told of what runs there");
        await Converse(silo);
        using var put = await silo.Api.PutAsJsonAsync("/v1/apps/kept", new { image = "shop:3", port = 8080, cpuMillis = 50, memoryMiB = 16, replicas = 2, regions = new[] { "eu-1" } });
        Assert.Equal(5, (int)(await put.Content.ReadFromJsonAsync<JsonNode>())!["revision"]!);
    }

    [Fact]
    public async Task Messages_of_the_version_before_mean_the_same()
    {
        foreach (var (message, meant) in Recording.Read(Agents))
        {
            var read = JsonNode.Parse(Google.Protobuf.JsonFormatter.Default.Format(message));
            Assert.True(Recording.Holds(read, meant), $"{message.Descriptor.Name}: {read} instead of {meant}");
        }
        await using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        foreach (var (type, meant, read) in Recording.Read(Grains, services.GetRequiredService<Serializer>()))
            Assert.True(Recording.Holds(read, meant), $"{type}: {read} instead of {meant}");
    }

    /// <summary>Makes the recordings anew; to be run, and its files committed, right before a release: <c>-explicit only -method '*Record'</c>.</summary>
    [Fact(Explicit = true)]
    public async Task Record()
    {
        await using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        await Recording.Write(Grains, services.GetRequiredService<Serializer>(), Samples.BetweenGrains);
        await Recording.Write(Agents, Samples.Agents);
        await using (var silo = await RunningSilo.Start(_database, "eu-1,us-1"))
            await Live(silo);
        await using var file = File.Create(Recording.PathOf(Database));
        await using var packed = new GZipStream(file, CompressionLevel.SmallestSize);
        await packed.WriteAsync(Encoding.UTF8.GetBytes(await _postgres.Dump(_database)));
    }

    private static async Task Live(RunningSilo silo)
    {
        await using var here = await SimulatedAgent.Connect(silo.Hub, "eu-1", "srv-1");
        await using var closed = await SimulatedAgent.Connect(silo.Hub, "eu-1", "srv-2");
        await silo.Api.PatchAsJsonAsync("/v1/regions/eu-1", new { lostAfterSeconds = 77 });
        await silo.Api.PatchAsJsonAsync("/v1/servers/eu-1/srv-2", new { cordoned = true, thresholds = new { admit = 0.3, evict = 0.4 } });
        foreach (var image in new[] { "shop:1", "shop:2", "shop:1" })
            await Deploy("kept", new { image, port = 8080, cpuMillis = 50, memoryMiB = 16, replicas = 2, regions = new[] { "eu-1" }, hostnames = new[] { "shop.example.com" }, stopGraceSeconds = 0 });
        using var rollback = await silo.Api.PostAsJsonAsync("/v1/apps/kept/rollback", new { revision = 2 });
        await Running("kept");
        await Deploy("spread", new { image = "shop:1", port = 8080, cpuMillis = 50, memoryMiB = 16, failover = true, regions = new Dictionary<string, int> { ["eu-1"] = 1, ["us-1"] = 1 } }, waits: false);
        await SiloUnderTest.Eventually(async () => (await silo.Api.GetFromJsonAsync<JsonArray>("/v1/containers"))!.Count == 3, "only what is wanted runs");

        async Task Deploy(string app, object spec, bool waits = true)
        {
            using var answer = await silo.Api.PutAsJsonAsync($"/v1/apps/{app}", spec);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            if (waits)
                await Running(app);
        }

        Task Running(string app) => SiloUnderTest.Eventually(
            async () => (string?)(await silo.Api.GetFromJsonAsync<JsonNode>($"/v1/apps/{app}"))!["phase"] == "Running", $"{app} runs");
    }

    /// <summary>An agent of the version before connects: what it says is taken.</summary>
    private static async Task Converse(RunningSilo silo)
    {
        using var channel = GrpcChannel.ForAddress(silo.Hub);
        using var call = new AgentHub.AgentHubClient(channel).Connect();
        foreach (var message in Recording.Read(Agents).Select(line => line.Message).OfType<AgentMessage>().SkipWhile(message => message.Hello?.Server != "srv-9"))
            await call.RequestStream.WriteAsync(message);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.NotNull(call.ResponseStream.Current.Welcome);
        await SiloUnderTest.Eventually(async () => (double?)(await silo.Api.GetFromJsonAsync<JsonNode>("/v1/servers/eu-1/srv-9"))!["utilization"]?["memory"] == 0.25, "its measurement is known");
        await call.RequestStream.CompleteAsync();
    }

    private async Task Restore()
    {
        await using var packed = new GZipStream(File.OpenRead(Recording.PathOf(Database)), CompressionMode.Decompress);
        using var text = new StreamReader(packed);
        // What psql would be told is not SQL.
        var script = PsqlCommand().Replace(await text.ReadToEndAsync(), "");
        await using var source = NpgsqlDataSource.Create(_database + ";Pooling=false");
        await using var restore = source.CreateCommand(script);
        await restore.ExecuteNonQueryAsync();
    }

    [GeneratedRegex(@"^\\.*$", RegexOptions.Multiline)]
    private static partial Regex PsqlCommand();
}
