using System.Globalization;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>Says why a demand was refused.</summary>
internal static class PlacementRefusals
{
    /// <param name="region">Name of the region.</param>
    /// <param name="demand">What one replica needs.</param>
    /// <param name="vms">VMs in the region.</param>
    /// <param name="counts">VMs excluded, by <see cref="PlacementRule"/>.</param>
    public static PlacementRefusal Refuse(string region, Demand demand, int vms, ReadOnlySpan<int> counts)
    {
        var rules = Rules(counts);
        return new PlacementRefusal { Vms = vms, Rules = rules, Message = Message(region, demand, vms, rules) };
    }

    /// <summary>The same refusal, when some of the replicas did fit.</summary>
    public static PlacementRefusal After(int fitted, PlacementRequest request, PlacementRefusal refusal)
    {
        if (fitted == 0) return refusal;
        var outcome = request.AllOrNothing ? "fit, so none was placed" : "placed";
        return refusal with { Message = string.Create(CultureInfo.InvariantCulture, $"{fitted} of {request.Count} replicas {outcome}; for one more, {refusal.Message}") };
    }

    public static RuleCount[] Rules(ReadOnlySpan<int> counts)
    {
        var rules = new List<RuleCount>(counts.Length);
        for (var rule = 0; rule < counts.Length; rule++)
            if (counts[rule] > 0) rules.Add(new RuleCount((PlacementRule)rule, counts[rule]));
        return [.. rules];
    }

    private static string Message(string region, Demand demand, int vms, RuleCount[] rules) => vms == 0
        ? $"region {region} has no VMs yet: connect a server whose agent offers some"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"no VM of {vms} fits {demand.CpuMillis}m CPU and {demand.MemoryMiB} MiB: {string.Join(", ", rules.Select(Phrase))}");

    private static string Phrase(RuleCount rule) =>
        string.Create(CultureInfo.InvariantCulture, $"{rule.Count} {Words(rule.Rule, rule.Count == 1)}");

    private static string Words(PlacementRule rule, bool one) => rule switch
    {
        PlacementRule.Offline => $"{Is(one)} on a server that is offline",
        PlacementRule.Stale => $"{Is(one)} on a server not heard from lately",
        PlacementRule.Cordoned => $"{Is(one)} cordoned",
        PlacementRule.Unprotected => $"{Is(one)} on a server whose primary may feel the VMs",
        PlacementRule.VmNotReady => $"{Is(one)} not ready",
        PlacementRule.Constraints => $"{Is(one)} on a server without the labels asked for, or to be avoided",
        PlacementRule.FreeCpu => $"{(one ? "lacks" : "lack")} free CPU",
        PlacementRule.FreeMemory => $"{(one ? "lacks" : "lack")} free memory",
        PlacementRule.CpuThreshold => $"{Is(one)} on a server at or over its CPU threshold",
        _ => $"{Is(one)} on a server at or over its memory threshold",
    };

    private static string Is(bool one) => one ? "is" : "are";
}
