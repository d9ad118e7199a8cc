using Hosting.Apps;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Regions;

[RegionPinned, GrainType("region")]
internal sealed class RegionGrain(
    [PersistentState("state")] IPersistentState<RegionPolicy> policy,
    PoolStore pool,
    TimeProvider clock,
    ILogger<RegionGrain> log) : Grain, IRegionGrain
{
    // A sweep wakes up what a lost silo or a lost hint left asleep; everything urgent has its own, faster path.
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(5);
    private const int SweepWidth = 64;

    private DateTimeOffset _sweptAt;

    public Task<RegionPolicy> GetPolicy() => Task.FromResult(policy.State);

    public async Task SetPolicy(RegionPolicy next)
    {
        await DurableState.Write(this, policy, next);
        await GrainFactory.GetGrain<IPlacementGrain>(this.GetPrimaryKeyString()).SetPolicy(next);
    }

    public Task<bool> Serves() => GrainFactory.GetGrain<IPlacementGrain>(this.GetPrimaryKeyString()).AnyServer();

    public async Task Keep()
    {
        var now = clock.GetUtcNow();
        if (now - _sweptAt < SweepEvery)
            return;
        _sweptAt = now;
        await Sweep();
    }

    private async Task Sweep()
    {
        var region = this.GetPrimaryKeyString();
        var servers = await pool.GetServers(region, CancellationToken.None);
        await ForEach(servers, name => GrainFactory.GetGrain<IServerGrain>(GrainKeys.Server(region, name)).Keep());
        var replicaSets = await pool.GetReplicaSets(region, CancellationToken.None);
        await ForEach(replicaSets, app => GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, app)).Reconcile());
        // Apps belong to no region: every region looks after all of them, so one region alone keeps them going.
        var apps = await pool.GetApps(CancellationToken.None);
        await ForEach(apps, name => GrainFactory.GetGrain<IAppServiceGrain>(name).Reconcile());
    }

    private async Task ForEach(IReadOnlyList<string> keys, Func<string, Task> wake)
    {
        foreach (var chunk in keys.Chunk(SweepWidth))
            await Task.WhenAll(chunk.Select(key => Wake(key, wake)));
    }

    private async Task Wake(string key, Func<string, Task> wake)
    {
        try
        {
            await wake(key);
        }
        catch (Exception failure)
        {
            log.LogWarning("{Key} could not be looked after and is tried again in {Seconds} s: {Reason}", key, SweepEvery.TotalSeconds, failure.Message);
        }
    }
}
