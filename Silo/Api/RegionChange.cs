using Hosting.Placement;
using Hosting.Regions;

namespace Hosting.Silo.Api;

/// <summary>What a PATCH of a region may hold. A field that is left out stays as it is.</summary>
internal sealed record RegionChange
{
    /// <summary>Thresholds of every server of the region that has none of its own.</summary>
    public Thresholds? Thresholds { get; init; }

    /// <summary>Seconds a server may be over its evict threshold before containers leave, 1 to 3,600.</summary>
    public int? EvictAfterSeconds { get; init; }

    /// <summary>Seconds of silence until a server's, or a VM's, containers are replaced elsewhere, 4 to 86,400.</summary>
    public int? LostAfterSeconds { get; init; }

    /// <summary>Seconds for which a server gets no replica back of an app that left it under pressure, 0 to 86,400.</summary>
    public int? CooldownSeconds { get; init; }

    /// <summary>Containers that may be moving under pressure at once, 1 to 10,000.</summary>
    public int? MovesAtOnce { get; init; }

    /// <summary>Moves under pressure that may begin in a minute, 1 to 100,000.</summary>
    public int? MovesPerMinute { get; init; }

    /// <summary>The policy with this change.</summary>
    public RegionPolicy Apply(RegionPolicy policy) => policy with
    {
        Thresholds = Thresholds ?? policy.Thresholds,
        EvictAfterSeconds = EvictAfterSeconds ?? policy.EvictAfterSeconds,
        LostAfterSeconds = LostAfterSeconds ?? policy.LostAfterSeconds,
        CooldownSeconds = CooldownSeconds ?? policy.CooldownSeconds,
        MovesAtOnce = MovesAtOnce ?? policy.MovesAtOnce,
        MovesPerMinute = MovesPerMinute ?? policy.MovesPerMinute,
    };

    /// <summary>A problem when it names nothing, or a value out of its range.</summary>
    public IResult? Check()
    {
        if (this == new RegionChange())
            return Problems.Invalid("$", "names nothing to change; give thresholds, evictAfterSeconds, lostAfterSeconds, cooldownSeconds, movesAtOnce or movesPerMinute.");
        if (ThresholdRules.Check(Thresholds) is { } invalid) return invalid;
        var errors = new Dictionary<string, string[]>();
        Range(errors, "evictAfterSeconds", EvictAfterSeconds, 1, 3_600, "seconds");
        Range(errors, "lostAfterSeconds", LostAfterSeconds, 4, 86_400, "seconds");
        Range(errors, "cooldownSeconds", CooldownSeconds, 0, 86_400, "seconds");
        Range(errors, "movesAtOnce", MovesAtOnce, 1, 10_000, "containers");
        Range(errors, "movesPerMinute", MovesPerMinute, 1, 100_000, "containers");
        return errors.Count == 0 ? null : Problems.Invalid(errors);
    }

    private static void Range(Dictionary<string, string[]> errors, string field, int? value, int least, int most, string unit)
    {
        if (value is { } v && (v < least || v > most)) errors[field] = [$"must be {least} to {most} {unit}, not {v}."];
    }
}
