using Hosting.Apps;
using Hosting.Domain.Apps;
using Hosting.Regions;

namespace Hosting.Grains.Apps;

/// <summary>Which regions of an app are away. They are asked themselves, once a second at most.</summary>
internal sealed class RegionWatch(string app, IGrainFactory grains, TimeProvider clock)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);

    private readonly RegionPresence _presence = new();
    private DateTimeOffset _lookedAt;

    /// <summary>The regions that are away now; as before when they were asked a moment ago.</summary>
    /// <param name="shares">The app's regions and what each runs when none is away.</param>
    /// <param name="away">Those that are away up to now.</param>
    public async Task<IReadOnlyList<string>> Look(IReadOnlyDictionary<string, int> shares, IReadOnlyList<string> away)
    {
        if (clock.GetUtcNow() - _lookedAt < LookEvery)
            return away;
        var answers = await Task.WhenAll(shares.Select(share => Ask(share.Key, share.Value)));
        _lookedAt = clock.GetUtcNow();
        return _presence.Look(away, answers, _lookedAt);
    }

    private async Task<RegionAnswer> Ask(string region, int share)
    {
        try
        {
            var serves = grains.GetGrain<IRegionGrain>(region).Serves();
            var status = grains.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, app)).GetStatus();
            await Task.WhenAll(serves, status).WaitAsync(AnswerWithin, clock);
            return new RegionAnswer(region, await serves, (await status)?.Ready >= share);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            return new RegionAnswer(region, Serves: false, Healthy: false);
        }
    }
}
