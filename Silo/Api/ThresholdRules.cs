using Hosting.Placement;

namespace Hosting.Silo.Api;

/// <summary>Which changes of thresholds make sense.</summary>
internal static class ThresholdRules
{
    /// <summary>A problem when one does not: each over 0 and at most 1, and of two admit not over evict.</summary>
    public static IResult? Check(ThresholdsPatch? patch)
    {
        if (patch is null) return null;
        if (patch == new ThresholdsPatch()) return Problems.Invalid("thresholds", "names nothing to change; give admit, evict or both.");
        var errors = new Dictionary<string, string[]>();
        Share(errors, "thresholds.admit", patch.Admit);
        Share(errors, "thresholds.evict", patch.Evict);
        if (errors.Count == 0 && patch is { Admit: { } admit, Evict: { } evict } && !new Thresholds(admit, evict).AreInOrder)
            errors["thresholds.evict"] = [$"must be at least admit ({admit}), not {evict}."];
        return errors.Count == 0 ? null : Problems.Invalid(errors);
    }

    /// <summary>The problem with a change that does not go together with what it leaves as it is.</summary>
    public static IResult Refused(Thresholds together) => Problems.Conflict(new Dictionary<string, string[]>
    {
        ["thresholds"] = [$"would be admit {together.Admit} and evict {together.Evict}, and evict must be at least admit: change both at once."],
    });

    private static void Share(Dictionary<string, string[]> errors, string field, double? value)
    {
        if (value is { } v and not (> 0 and <= 1)) errors[field] = [$"must be over 0 and at most 1 (a share of the server), not {v}."];
    }
}
