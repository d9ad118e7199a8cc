using Hosting.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Storage;

namespace Hosting.Storage.Tests;

/// <summary>A real silo on our tables: its grain storage, its gateway list, its documents.</summary>
public sealed class OrleansPersistenceTests(SiloOnPostgres silo) : IClassFixture<SiloOnPostgres>
{
    private static int keys;

    private readonly GrainId grain = GrainId.Create("thing", $"key-{Interlocked.Increment(ref keys)}");
    private readonly IGrainStorage storage = silo.Host.Services.GetRequiredKeyedService<IGrainStorage>("Default");

    [Fact]
    public async Task State_that_was_never_written_does_not_exist()
    {
        var state = await Read(storage);

        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
    }

    [Fact]
    public async Task Written_state_is_read_back_with_its_version()
    {
        var written = new GrainState<Document>(new Document { Value = "one" });
        await storage.WriteStateAsync("state", grain, written);
        written.State!.Value = "two";
        await storage.WriteStateAsync("state", grain, written);

        var read = await Read(storage);

        Assert.Equal(("two", "2", true), (read.State!.Value, read.ETag, read.RecordExists));
        Assert.Equal("2", written.ETag);
    }

    [Fact]
    public async Task Writing_without_a_version_is_refused_when_there_is_state()
    {
        await Write("first", null);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Write("second", null));

        Assert.Equal("first", (await Read(storage)).State!.Value);
    }

    [Fact]
    public async Task Writing_with_a_stale_version_changes_nothing()
    {
        await Write("first", null);
        await Write("second", "1");

        await Assert.ThrowsAsync<InconsistentStateException>(() => Write("third", "1"));
        await Assert.ThrowsAsync<InconsistentStateException>(() => Write("third", "7"));

        var read = await Read(storage);
        Assert.Equal(("second", "2"), (read.State!.Value, read.ETag));
    }

    [Fact]
    public async Task Of_writers_with_the_same_version_one_wins()
    {
        string? version = null;
        for (var round = 1; round <= 10; round++)
        {
            var writes = Enumerable.Range(0, 16).Select(i => Write($"{round}-{i}", version)).ToArray();
            await Task.WhenAll(writes).ContinueWith(_ => { }, TaskScheduler.Default);

            var winner = Assert.Single(Enumerable.Range(0, 16), i => writes[i].IsCompletedSuccessfully);
            var read = await Read(storage);
            Assert.Equal(($"{round}-{winner}", $"{round}"), (read.State!.Value, read.ETag));
            version = read.ETag;
        }
    }

    [Fact]
    public async Task Cleared_state_does_not_exist_but_keeps_its_version()
    {
        await Write("first", null);
        var cleared = await Read(storage);
        await storage.ClearStateAsync("state", grain, cleared);

        var read = await Read(storage);

        Assert.False(read.RecordExists);
        Assert.Equal(("2", "2"), (cleared.ETag, read.ETag));
        await Write("again", "2");
        Assert.Equal(("again", "3"), ((await Read(storage)).State!.Value, (await Read(storage)).ETag));
    }

    [Fact]
    public async Task Clearing_with_a_stale_version_changes_nothing()
    {
        await Write("first", null);
        var stale = await Read(storage);
        await Write("second", "1");

        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("state", grain, stale));

        Assert.Equal("second", (await Read(storage)).State!.Value);
    }

    [Fact]
    public async Task Deleted_state_can_be_written_anew_and_a_stale_delete_is_refused()
    {
        var deleting = silo.Host.Services.GetRequiredKeyedService<IGrainStorage>(OrleansHost.Deleting);
        await Write("first", null);
        var stale = await Read(deleting);
        await Write("second", "1");

        await Assert.ThrowsAsync<InconsistentStateException>(() => deleting.ClearStateAsync("state", grain, stale));
        await deleting.ClearStateAsync("state", grain, await Read(deleting));

        Assert.Null((await Read(storage)).ETag);
        await Write("anew", null);
        Assert.Equal("anew", (await Read(storage)).State!.Value);
    }

    [Fact]
    public async Task Equal_keys_of_two_types_have_a_document_each()
    {
        await Grain<FirstDocumentGrain>("twin").Set("app");
        await Grain<SecondDocumentGrain>("twin").Set("replica set");

        await silo.Deactivate();

        Assert.Equal("app", await Grain<FirstDocumentGrain>("twin").Get());
        Assert.Equal("replica set", await Grain<SecondDocumentGrain>("twin").Get());
    }

    [Fact]
    public async Task Keys_that_read_as_the_same_number_have_a_document_each()
    {
        string[] names = ["cafe", "0cafe", "00cafe", "12", "012"];
        foreach (var name in names)
            await Grain<FirstDocumentGrain>(name).Set(name);

        await silo.Deactivate();

        foreach (var name in names)
            Assert.Equal(name, await Grain<FirstDocumentGrain>(name).Get());
    }

    [Fact]
    public async Task Apps_and_replica_sets_are_those_with_a_document()
    {
        foreach (var name in (string[])["beef", "apple", "gone"])
            await WriteDocument($"app-service/state/{name}", name);
        await ClearDocument("app-service/state/gone", "gone");
        foreach (var key in (string[])["us-1/pear", "us-1/0beef", "us-1/gone", "us-10/other", "us/other"])
            await WriteDocument($"replica-set/state/{key}", key);
        await ClearDocument("replica-set/state/us-1/gone", "us-1/gone");
        var pool = silo.Host.Services.GetRequiredService<PoolStore>();

        Assert.Equal(["apple", "beef"], await pool.GetApps(default));
        Assert.Equal(["0beef", "pear"], await pool.GetReplicaSets("us-1", default));
        Assert.Empty(await pool.GetReplicaSets("us-2", default));
    }

    [Theory]
    [InlineData("app-service")]
    [InlineData("replica-set")]
    public void The_grains_whose_documents_name_apps_keep_them_under_these_names(string type)
    {
        var grainClass = Assert.Single(typeof(PoolStore).Assembly.GetTypes(), candidate =>
            candidate.GetCustomAttributesData().Any(attribute =>
                attribute.AttributeType == typeof(GrainTypeAttribute) && type.Equals(attribute.ConstructorArguments[0].Value)));

        var state = grainClass.GetConstructors().Single().GetParameters()
            .Select(parameter => parameter.GetCustomAttributes(false).OfType<PersistentStateAttribute>().SingleOrDefault())
            .Single(attribute => attribute is not null);
        Assert.Equal("state", state!.StateName);
    }

    [Fact]
    public async Task A_document_is_named_by_type_state_and_key()
    {
        await Grain<FirstDocumentGrain>("eu-1/named").Set("here");

        var state = new GrainState<Document>(new Document());
        await storage.ReadStateAsync("first-document/state/eu-1/named", GrainId.Create("first-document", "eu-1/named"), state);

        Assert.Equal("here", state.State!.Value);
    }

    [Fact]
    public async Task A_client_finds_the_silo_by_the_gateway_list()
    {
        using var client = OrleansHost.BuildClient(silo.ConnectionString, SiloOnPostgres.Cluster);
        await client.StartAsync();
        var grains = client.Services.GetRequiredService<IGrainFactory>();

        await grains.GetGrain<IDocumentGrain>("from-outside", typeof(FirstDocumentGrain).FullName).Set("hello");

        Assert.Equal("hello", await Grain<FirstDocumentGrain>("from-outside").Get());
        await client.StopAsync();
    }

    private IDocumentGrain Grain<T>(string key) =>
        silo.Host.Services.GetRequiredService<IGrainFactory>().GetGrain<IDocumentGrain>(key, typeof(T).FullName);

    private async Task<GrainState<Document>> Read(IGrainStorage from)
    {
        var state = new GrainState<Document>(new Document());
        await from.ReadStateAsync("state", grain, state);
        return state;
    }

    private Task WriteDocument(string name, string key) => storage.WriteStateAsync(
        name, GrainId.Create("any", key), new GrainState<Document>(new Document()));

    private Task ClearDocument(string name, string key) => storage.ClearStateAsync(
        name, GrainId.Create("any", key), new GrainState<Document>(new Document(), "1"));

    private Task Write(string value, string? version) => storage.WriteStateAsync(
        "state", grain, new GrainState<Document>(new Document { Value = value }, version));
}

/// <summary>One silo for the class.</summary>
public sealed class SiloOnPostgres(Postgres postgres) : IAsyncLifetime
{
    public const string Cluster = "documents";

    public string ConnectionString { get; private set; } = "";

    public IHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabase();
        Host = OrleansHost.Build(ConnectionString, Cluster);
        await Host.StartAsync();
    }

    /// <summary>Makes every grain read its document again.</summary>
    public Task Deactivate() =>
        Host.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync();
        Host.Dispose();
    }
}
