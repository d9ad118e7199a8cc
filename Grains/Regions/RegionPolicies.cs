using System.Collections.Concurrent;
using Hosting.Regions;

namespace Hosting.Grains.Regions;

/// <summary>The policies of the regions this silo serves, asked for once for all of its servers. Up to <see cref="FreshFor"/> old.</summary>
internal sealed class RegionPolicies(IGrainFactory grains, TimeProvider clock)
{
    /// <summary>How long an answer is passed on.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Answer> _answers = new(StringComparer.Ordinal);

    /// <summary>A region's policy.</summary>
    /// <exception cref="OrleansException">The region's grain does not answer; the next call asks again.</exception>
    public Task<RegionPolicy> Get(string region)
    {
        var now = clock.GetUtcNow();
        if (_answers.TryGetValue(region, out var answer) && now - answer.AskedAt < FreshFor && !answer.Policy.IsFaulted)
            return answer.Policy;
        var policy = grains.GetGrain<IRegionGrain>(region).GetPolicy();
        _answers[region] = new Answer(policy, now);
        return policy;
    }

    private readonly record struct Answer(Task<RegionPolicy> Policy, DateTimeOffset AskedAt);
}
