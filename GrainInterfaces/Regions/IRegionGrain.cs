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
    /// <returns>Null; or the thresholds that it would lead to, with evict below admit: then nothing has changed.</returns>
    [Alias("Configure")] Task<Thresholds?> Configure(RegionPatch patch);

    /// <summary>Whether the region can run anything: one of its servers at least is heard from.</summary>
    [Alias("Serves"), AlwaysInterleave] Task<bool> Serves();

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

    /// <summary>Seconds a server may be over its evict threshold before containers are moved away, 1 to 3,600.</summary>
    [Id(1)] public int EvictAfterSeconds { get; init; } = 5;

    /// <summary>Seconds without a word of a server, or of a VM of it, until its containers are replaced elsewhere, 4 to 86,400.</summary>
    [Id(2)] public int LostAfterSeconds { get; init; } = 10;

    /// <summary>Seconds for which a server gets no replica of an app back that was moved away under pressure, 0 to 86,400.</summary>
    [Id(3)] public int CooldownSeconds { get; init; } = 300;

    /// <summary>Containers of the region that may be moving under pressure at once, 1 to 10,000.</summary>
    [Id(4)] public int MovesAtOnce { get; init; } = 20;

    /// <summary>Moves under pressure that may begin in a minute, 1 to 100,000.</summary>
    [Id(5)] public int MovesPerMinute { get; init; } = 120;
}

/// <summary>What an operator may change of a region's policy; null leaves a field as it is.</summary>
[GenerateSerializer, Alias("hosting.RegionPatch")]
public sealed record RegionPatch
{
    /// <summary>Thresholds of every server of the region that has none of its own. One that is left out stays as it is.</summary>
    [Id(0)] public ThresholdsPatch? Thresholds { get; init; }

    /// <summary>Seconds a server may be over its evict threshold before containers leave, 1 to 3,600.</summary>
    [Id(1)] public int? EvictAfterSeconds { get; init; }

    /// <summary>Seconds of silence until a server's, or a VM's, containers are replaced elsewhere, 4 to 86,400.</summary>
    [Id(2)] public int? LostAfterSeconds { get; init; }

    /// <summary>Seconds for which a server gets no replica back of an app that left it under pressure, 0 to 86,400.</summary>
    [Id(3)] public int? CooldownSeconds { get; init; }

    /// <summary>Containers that may be moving under pressure at once, 1 to 10,000.</summary>
    [Id(4)] public int? MovesAtOnce { get; init; }

    /// <summary>Moves under pressure that may begin in a minute, 1 to 100,000.</summary>
    [Id(5)] public int? MovesPerMinute { get; init; }

    /// <summary>The policy with this change; its thresholds need not be in order.</summary>
    public RegionPolicy Apply(RegionPolicy policy) => policy with
    {
        Thresholds = Thresholds?.Apply(policy.Thresholds) ?? policy.Thresholds,
        EvictAfterSeconds = EvictAfterSeconds ?? policy.EvictAfterSeconds,
        LostAfterSeconds = LostAfterSeconds ?? policy.LostAfterSeconds,
        CooldownSeconds = CooldownSeconds ?? policy.CooldownSeconds,
        MovesAtOnce = MovesAtOnce ?? policy.MovesAtOnce,
        MovesPerMinute = MovesPerMinute ?? policy.MovesPerMinute,
    };
}
