using Hosting.Placement;

namespace Hosting.Silo.Api;

/// <summary>Which thresholds make sense.</summary>
internal static class ThresholdRules
{
    /// <summary>A problem when they do not: over 0, at most 1, and admit not over evict.</summary>
    public static IResult? Check(Thresholds? thresholds)
    {
        if (thresholds is not { } t) return null;
        var errors = new Dictionary<string, string[]>();
        if (!(t.Admit is > 0 and <= 1)) errors["thresholds.admit"] = [$"must be over 0 and at most 1 (a share of the server), not {t.Admit}."];
        if (!(t.Evict is > 0 and <= 1)) errors["thresholds.evict"] = [$"must be over 0 and at most 1 (a share of the server), not {t.Evict}."];
        if (errors.Count == 0 && t.Evict < t.Admit) errors["thresholds.evict"] = [$"must be at least admit ({t.Admit}), not {t.Evict}."];
        return errors.Count == 0 ? null : Problems.Invalid(errors);
    }
}
