using Hosting.Apps;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Regions;

[RegionPinned, GrainType("region")]
internal sealed class RegionGrain(
    [PersistentState("state", RegionDocuments.Name)] IPersistentState<RegionPolicy> policy,
    PoolStore pool,
    IClusterMembershipService cluster,
    TimeProvider clock,
    ILogger<RegionGrain> log) : Grain, IRegionGrain
{
    // A sweep wakes up what a lost silo or a lost hint left asleep; everything urgent has its own, faster path.
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(5);
    // There may be tens of thousands of servers, and only the loss of a silo puts many of them to sleep.
    private static readonly TimeSpan SweepServersEvery = TimeSpan.FromSeconds(30);
    private const int SweepWidth = 64;

    private readonly Durable<RegionPolicy> _policy = new(policy);
    private DateTimeOffset _sweptAt;
    private DateTimeOffset _serversSweptAt;
    private MembershipVersion _serversSweptIn = MembershipVersion.MinValue;

    public Task<RegionPolicy> GetPolicy() => Task.FromResult(_policy.Value);

    public async Task<Thresholds?> Configure(RegionPatch patch)
    {
        var next = patch.Apply(_policy.Value);
        if (!next.Thresholds.AreInOrder)
            return next.Thresholds;
        await _policy.Write(this, next);
        await GrainFactory.GetGrain<IPlacementGrain>(this.GetPrimaryKeyString()).SetPolicy(next);
        return null;
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
        await SweepServers(region);
        var replicaSets = await pool.GetReplicaSets(region, CancellationToken.None);
        await ForEach(replicaSets, app => GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, app)).Reconcile());
        // Apps belong to no region: every region looks after all of them, so one region alone keeps them going.
        var apps = await pool.GetApps(CancellationToken.None);
        await ForEach(apps, name => GrainFactory.GetGrain<IAppServiceGrain>(name).Reconcile());
    }

    private async Task SweepServers(string region)
    {
        var (now, members) = (clock.GetUtcNow(), cluster.CurrentSnapshot.Version);
        if (now - _serversSweptAt < SweepServersEvery && members == _serversSweptIn)
            return;
        var servers = await pool.GetServers(region, CancellationToken.None);
        if (await ForEach(servers, name => GrainFactory.GetGrain<IServerGrain>(GrainKeys.Server(region, name)).Keep()))
            (_serversSweptAt, _serversSweptIn) = (now, members);
    }

    /// <summary>Whether all of them answered.</summary>
    private async Task<bool> ForEach(IReadOnlyList<string> keys, Func<string, Task> wake)
    {
        var all = true;
        foreach (var chunk in keys.Chunk(SweepWidth))
            all &= (await Task.WhenAll(chunk.Select(key => Wake(key, wake)))).All(awake => awake);
        return all;
    }

    private async Task<bool> Wake(string key, Func<string, Task> wake)
    {
        try
        {
            await wake(key);
            return true;
        }
        catch (Exception failure)
        {
            log.LogWarning("{Key} could not be looked after and is tried again in {Seconds} s: {Reason}", key, SweepEvery.TotalSeconds, failure.Message);
            return false;
        }
    }
}
