using Hosting.Regions;

namespace Hosting.Silo.Api;

/// <summary>Which changes of a region's policy make sense.</summary>
internal static class RegionPatchRules
{
    /// <summary>A problem when it names nothing, or a value out of its range.</summary>
    public static IResult? Check(RegionPatch patch)
    {
        if (patch == new RegionPatch())
            return Problems.Invalid("$", "names nothing to change; give thresholds, evictAfterSeconds, lostAfterSeconds, cooldownSeconds, movesAtOnce or movesPerMinute.");
        if (ThresholdRules.Check(patch.Thresholds) is { } invalid) return invalid;
        var errors = new Dictionary<string, string[]>();
        Range(errors, "evictAfterSeconds", patch.EvictAfterSeconds, 1, 3_600, "seconds");
        Range(errors, "lostAfterSeconds", patch.LostAfterSeconds, 4, 86_400, "seconds");
        Range(errors, "cooldownSeconds", patch.CooldownSeconds, 0, 86_400, "seconds");
        Range(errors, "movesAtOnce", patch.MovesAtOnce, 1, 10_000, "containers");
        Range(errors, "movesPerMinute", patch.MovesPerMinute, 1, 100_000, "containers");
        return errors.Count == 0 ? null : Problems.Invalid(errors);
    }

    private static void Range(Dictionary<string, string[]> errors, string field, int? value, int least, int most, string unit)
    {
        if (value is { } v && (v < least || v > most)) errors[field] = [$"must be {least} to {most} {unit}, not {v}."];
    }
}
