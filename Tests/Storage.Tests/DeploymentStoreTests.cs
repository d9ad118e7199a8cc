using Hosting.Grains.Storage;
using Hosting.Placement;
using Npgsql;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

public sealed class DeploymentStoreTests(Postgres postgres) : IAsyncLifetime
{
    private const string Region = "eu-1";
    private static readonly DateTimeOffset Noon = new(2025, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private Stores stores = null!;
    private long epoch;

    public async ValueTask InitializeAsync()
    {
        stores = new Stores(await postgres.CreateDatabase());
        epoch = await stores.Pool.RaiseEpoch(Region, default);
    }

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public async Task A_record_is_read_as_it_was_written()
    {
        var placed = Container(Region, "shop-1") with { Endpoint = null };
        var running = placed with { State = ContainerState.Running, Healthy = true, Endpoint = "10.0.0.1:80", StartedAt = Noon };

        Assert.True(await stores.Deployments.Insert(Region, epoch, [placed], default));
        Assert.Equal(placed, await stores.Pool.GetContainer("shop-1", default));
        await stores.Deployments.Update([running], default);
        Assert.Equal(running, await stores.Pool.GetContainer("shop-1", default));
        Assert.True(await stores.Deployments.End(Region, epoch, [new("shop-1", ContainerState.Failed, "out of memory")], Noon, default));

        Assert.Equal(
            running with { State = ContainerState.Failed, Healthy = false, Reason = "out of memory" },
            await stores.Pool.GetContainer("shop-1", default));
        Assert.Equal(Noon.UtcDateTime, await stores.Scalar<DateTime>("SELECT ended_at FROM container WHERE id = 'shop-1'"));
    }

    [Fact]
    public async Task Times_with_an_offset_are_stored_as_utc()
    {
        var local = new DateTimeOffset(2025, 6, 1, 14, 0, 0, TimeSpan.FromHours(2));

        await stores.Deployments.Insert(Region, epoch, [Container(Region, "local") with { CreatedAt = local, StartedAt = local }], default);

        var stored = (await stores.Pool.GetContainer("local", default))!;
        Assert.Equal(Noon, stored.CreatedAt);
        Assert.Equal(TimeSpan.Zero, stored.CreatedAt.Offset);
    }

    [Fact]
    public async Task A_call_is_all_or_nothing()
    {
        await stores.Deployments.Insert(Region, epoch, [Container(Region, "taken", app: "other")], default);
        var call = Enumerable.Range(0, 1500).Select(i => Container(Region, i == 1499 ? "taken" : $"all-{i}")).ToArray();

        await Assert.ThrowsAsync<PostgresException>(() => stores.Deployments.Insert(Region, epoch, call, default));

        Assert.Single((await RegionSnapshot.Load(stores.Pool, Region)).Containers);
    }

    [Fact]
    public async Task A_call_that_cannot_be_written_harms_no_other()
    {
        await stores.Deployments.Insert(Region, epoch, [Container(Region, "taken", app: "other")], default);

        var calls = Enumerable.Range(0, 200)
            .Select(i => stores.Deployments.Insert(Region, epoch, [Container(Region, i % 50 == 7 ? "taken" : $"good-{i}")], default))
            .ToArray();
        await Task.WhenAll(calls).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.Equal(4, calls.Count(call => call.IsFaulted));
        Assert.Equal(196, calls.Count(call => call.IsCompletedSuccessfully && call.Result));
        Assert.Equal(197, (await RegionSnapshot.Load(stores.Pool, Region)).Containers.Count);
    }

    [Fact]
    public async Task Calls_that_could_never_be_right_are_refused_at_once()
    {
        var over = Container(Region, "over") with { State = ContainerState.Stopped };
        var tooMany = Enumerable.Range(0, DeploymentStore.MaxRecords + 1).Select(i => Container(Region, $"many-{i}")).ToArray();

        await Assert.ThrowsAsync<ArgumentException>(() => stores.Deployments.Insert(Region, epoch, [over], default));
        await Assert.ThrowsAsync<ArgumentException>(() => stores.Deployments.Insert(Region, epoch, [Container("eu-2", "else")], default));
        await Assert.ThrowsAsync<ArgumentException>(() => stores.Deployments.Update([over], default));
        await Assert.ThrowsAsync<ArgumentException>(
            () => stores.Deployments.End(Region, epoch, [new("x", ContainerState.Running, null)], Noon, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => stores.Deployments.Insert(Region, epoch, tooMany, default));
    }

    [Fact]
    public async Task A_caller_that_gave_up_before_its_turn_writes_nothing()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => stores.Deployments.Insert(Region, epoch, [Container(Region, "unwanted")], gone.Token));
        await stores.DisposeAsync();

        await using var later = new Stores(stores.ConnectionString);
        Assert.Null(await later.Pool.GetContainer("unwanted", default));
    }

    [Fact]
    public async Task Closing_the_store_writes_what_is_queued_and_takes_no_more()
    {
        var calls = Enumerable.Range(0, 2000)
            .Select(i => stores.Deployments.Insert(Region, epoch, [Container(Region, $"queued-{i}")], default)).ToArray();
        var store = stores.Deployments;

        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(calls), Assert.True);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.Insert(Region, epoch, [Container(Region, "late")], default));
    }

    [Fact]
    public async Task A_writer_says_clearly_that_the_database_is_away()
    {
        await using var nobody = new Stores("Host=127.0.0.1;Port=1;Username=x;Database=x", TimeSpan.FromMilliseconds(300));

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            () => nobody.Deployments.Insert(Region, epoch, [Container(Region, "lost")], default));

        Assert.Contains("Check that it runs", failure.Message, StringComparison.Ordinal);
        Assert.Single(nobody.Log.Warnings);
    }
}
