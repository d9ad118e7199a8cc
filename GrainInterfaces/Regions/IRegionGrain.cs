using Hosting.Placement;
using Orleans.Concurrency;

namespace Hosting.Regions;

/// <summary>A region; the key is its name. Owns the region's policy and keeps its grains awake.</summary>
[Alias("hosting.IRegionGrain")]
public interface IRegionGrain : IGrainWithStringKey
{
    /// <summary>The region's policy.</summary>
    [Alias("GetPolicy"), AlwaysInterleave] Task<RegionPolicy> GetPolicy();

    /// <summary>Changes the policy; it takes effect on the next decision.</summary>
    [Alias("SetPolicy")] Task SetPolicy(RegionPolicy policy);

    /// <summary>
    /// Called by every silo of the region every few seconds: wakes up what should be at work (placement, servers, replica
    /// sets, apps), so that a lost hint or a lost silo is repaired by itself.
    /// </summary>
    [Alias("Keep")] Task Keep();
}

/// <summary>What holds for every server of a region, unless it has its own.</summary>
[GenerateSerializer, Alias("hosting.RegionPolicy")]
public sealed record RegionPolicy
{
    /// <summary>Admit and evict thresholds.</summary>
    [Id(0)] public Thresholds Thresholds { get; init; } = Thresholds.Default;
}
