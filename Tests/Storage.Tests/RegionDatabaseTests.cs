using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Storage.Tests;

/// <summary>A region with a database of its own beside the shared one.</summary>
public sealed class RegionDatabaseTests(Postgres postgres) : IAsyncLifetime
{
    private const string Here = "eu-1";
    private const string Elsewhere = "us-1";
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
    private string _shared = "";
    private string _own = "";

    public async ValueTask InitializeAsync() => (_shared, _own) = (await postgres.CreateDatabase(), await postgres.CreateDatabase());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Records_lie_in_the_database_of_their_region_and_lists_span_both()
    {
        await using var stores = Both();
        Assert.Empty(await stores.Pool.AddRegions([Here, Elsewhere]));
        await Place(stores, Here, "eu-a", "eu-b");
        await Place(stores, Elsewhere, "us-a");
        await stores.Deployments.Update([Stores.Container(Here, "eu-a") with { State = ContainerState.Running }, Stores.Container(Elsewhere, "us-a") with { Healthy = true, State = ContainerState.Running }], default);

        await using var own = new Stores(_own);
        await using var shared = new Stores(_shared);
        Assert.Equal(["eu-a", "eu-b"], Ids(await own.Pool.GetContainers(new(), default)));
        Assert.Equal(["us-a"], Ids(await shared.Pool.GetContainers(new(), default)));
        Assert.Equal(["eu-a", "eu-b", "us-a"], Ids(await stores.Pool.GetContainers(new(), default)));
        Assert.Equal(["eu-a", "eu-b"], Ids(await stores.Pool.GetContainers(new() { Region = Here }, default)));
        Assert.Single(await stores.Pool.GetContainers(new() { Limit = 1 }, default));
        Assert.Equal((ContainerState.Running, true), ((await stores.Pool.GetContainer("eu-a", default))!.State, (await stores.Pool.GetContainer("us-a", default))!.Healthy));
        Assert.Equal([Here, Elsewhere], await stores.Pool.GetRegions());
        Assert.Equal(["srv-1"], await own.Pool.GetServers(Here, default));
        Assert.Empty(await shared.Pool.GetServers(Here, default));
    }

    [Fact]
    public async Task A_database_that_is_away_costs_a_list_its_part_and_the_other_region_nothing()
    {
        await using var stores = new Stores(_shared, TimeSpan.FromMilliseconds(500), new Dictionary<string, string> { [Here] = "Host=127.0.0.1;Port=1;Username=x;Database=x" });
        await stores.Pool.RaiseEpoch(Elsewhere, default);
        await Place(stores, Elsewhere, "us-c");

        var (records, missing) = await stores.Pool.FindContainers(new(), default);

        Assert.Equal(["us-c"], Ids(records));
        Assert.Equal([$"the database of region {Here}"], missing);
        await Assert.ThrowsAnyAsync<Exception>(() => stores.Pool.GetContainers(new() { Region = Here }, default));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Pool.GetContainer("eu-x", default));
        Assert.Equal("us-c", (await stores.Pool.GetContainer("us-c", default))!.Id);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => stores.Deployments.Insert(Here, 1, [Stores.Container(Here, "eu-d")], default));
        await Place(stores, Elsewhere, "us-e");
    }

    [Fact]
    public async Task Events_are_kept_by_region_and_read_as_one_diary_from_any_place()
    {
        var writer = Both();
        foreach (var (minute, region, message) in new[] { (1, Here, "eu one"), (2, null, "app two"), (3, Elsewhere, "us three"), (4, Here, "eu four"), (5, null, "app five") })
            writer.Events.Write(new PlatformEvent { At = Noon.AddMinutes(minute), Region = region, Kind = "test", Message = message });
        await writer.DisposeAsync();

        await using var stores = Both();
        await using var own = new Stores(_own);
        Assert.Equal(["eu one", "eu four"], Messages(await own.Events.Read(new(), default)));
        Assert.Equal(["eu one", "app two", "us three", "eu four", "app five"], Messages(await stores.Events.Read(new(), default)));
        Assert.Equal(["eu one", "eu four"], Messages(await stores.Events.Read(new() { Region = Here }, default)));
        var newest = await stores.Events.Read(new() { Limit = 2 }, default);
        Assert.Equal(["eu four", "app five"], Messages(newest));

        // Whoever follows carries a place on after each event, and may come back with any of them as text.
        var place = newest.Before;
        Assert.Equal(["eu four", "app five"], Messages(await stores.Events.Read(new() { After = Text(place) }, default)));
        place = place.Past(newest.Events[0].Database, newest.Events[0].Id);
        Assert.Equal(["app five"], Messages(await stores.Events.Read(new() { After = Text(place) }, default)));
        Assert.Empty(Messages(await stores.Events.Read(new() { After = Text(newest.Next) }, default)));
        Assert.Equal(newest.Next.ToString(), place.Past(newest.Events[1].Database, newest.Events[1].Id).ToString());
        Assert.Null(EventPlace.TryParse("yesterday"));
        Assert.Null(EventPlace.TryParse("1,2"));
    }

    [Fact]
    public async Task A_silo_that_does_not_know_where_a_region_is_kept_begins_no_second_truth()
    {
        await using var both = Both();
        await using var alone = new Stores(_shared);
        await both.Pool.AddRegions([Here]);

        Assert.Contains($"ConnectionStrings:Region:{Here}", Assert.Single(await alone.Pool.AddRegions([Here])));
        Assert.Empty(await both.Pool.AddRegions([Here]));

        await alone.Pool.AddRegions([Elsewhere]);
        await alone.Pool.UpsertServer(Server(Elsewhere), [], default);
        await using var late = new Stores(_shared, null, new Dictionary<string, string> { [Elsewhere] = _own });
        Assert.Contains("in the shared database already", Assert.Single(await late.Pool.AddRegions([Elsewhere])));
    }

    private Stores Both() => new(_shared, null, new Dictionary<string, string> { [Here] = _own });

    private static async Task Place(Stores stores, string region, params string[] ids)
    {
        var epoch = await stores.Pool.RaiseEpoch(region, default);
        await stores.Pool.UpsertServer(Server(region), [], default);
        Assert.True(await stores.Deployments.Insert(region, epoch, [.. ids.Select(id => Stores.Container(region, id))], default));
    }

    private static ServerRecord Server(string region) => new() { Region = region, Name = "srv-1", CpuMillis = 1000, MemoryMiB = 1000 };

    private static EventPlace Text(EventPlace place) => EventPlace.TryParse(place.ToString())!;

    private static IEnumerable<string> Ids(IEnumerable<ContainerRecord> records) => records.Select(r => r.Id).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Messages(EventPage page) => page.Events.Select(e => e.Message);
}
