using Hosting.Placement;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

public sealed class FencingTests(Postgres postgres) : IAsyncLifetime
{
    private const string Region = "eu-1";
    private Stores stores = null!;

    public async ValueTask InitializeAsync() => stores = new Stores(await postgres.CreateDatabase());

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public async Task An_older_epoch_inserts_nothing()
    {
        var old = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Pool.RaiseEpoch(Region, default);

        Assert.False(await stores.Deployments.Insert(Region, old, [Container(Region, "late")], default));

        Assert.Null(await stores.Pool.GetContainer("late", default));
    }

    [Fact]
    public async Task An_older_epoch_ends_nothing()
    {
        var old = await stores.Pool.RaiseEpoch(Region, default);
        Assert.True(await stores.Deployments.Insert(Region, old, [Container(Region, "alive")], default));
        await stores.Pool.RaiseEpoch(Region, default);

        Assert.False(await stores.Deployments.End(
            Region, old, [new ContainerRelease("alive", ContainerState.Stopped, null)], DateTimeOffset.UnixEpoch, default));

        Assert.Equal(ContainerState.Placed, (await stores.Pool.GetContainer("alive", default))!.State);
    }

    [Fact]
    public async Task An_epoch_of_another_region_or_of_none_is_refused()
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Pool.AddRegions(["eu-2"], default);

        Assert.False(await stores.Deployments.Insert("eu-2", epoch, [Container("eu-2", "there")], default));
        Assert.False(await stores.Deployments.Insert("nowhere", epoch, [Container("nowhere", "nowhere")], default));
        Assert.False(await stores.Deployments.Insert(Region, epoch + 1, [Container(Region, "early")], default));
    }

    [Fact]
    public async Task A_container_of_another_region_is_not_ended()
    {
        var there = await stores.Pool.RaiseEpoch("eu-2", default);
        await stores.Deployments.Insert("eu-2", there, [Container("eu-2", "theirs")], default);
        var here = await stores.Pool.RaiseEpoch(Region, default);

        await stores.Deployments.End(
            Region, here, [new ContainerRelease("theirs", ContainerState.Stopped, null)], DateTimeOffset.UnixEpoch, default);

        Assert.Equal(ContainerState.Placed, (await stores.Pool.GetContainer("theirs", default))!.State);
    }

    /// <summary>What a new owner of the ledger reads right after raising the epoch is all there will ever be of the old one.</summary>
    [Fact]
    public async Task Nothing_of_an_older_epoch_appears_once_it_was_raised()
    {
        for (var round = 0; round < 15; round++)
        {
            var epoch = await stores.Pool.RaiseEpoch(Region, default);
            var first = new TaskCompletionSource();
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var answers = Enumerable.Range(0, 64).Select(caller => InsertUntilRefused($"{round}-{caller}", epoch, first, stop.Token)).ToArray();
            await first.Task;

            await stores.Pool.RaiseEpoch(Region, default);
            var seen = (await RegionSnapshot.Load(stores.Pool, Region)).Containers.Select(record => record.Id).ToHashSet();
            var accepted = (await Task.WhenAll(answers)).SelectMany(ids => ids);

            Assert.True(seen.IsSupersetOf(accepted));
            Assert.Equal(seen.Count, (await RegionSnapshot.Load(stores.Pool, Region)).Containers.Count);
        }
    }

    private async Task<List<string>> InsertUntilRefused(string caller, long epoch, TaskCompletionSource first, CancellationToken stop)
    {
        var accepted = new List<string>();
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var id = $"{caller}-{i}";
            if (!await stores.Deployments.Insert(Region, epoch, [Container(Region, id)], default))
                return accepted;
            accepted.Add(id);
            if (i == 3)
                first.TrySetResult();
        }

        return accepted;
    }
}
