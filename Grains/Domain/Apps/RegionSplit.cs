using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>How an app's replicas are split over its regions.</summary>
public static class RegionSplit
{
    /// <summary>
    /// The numbers the spec names; else as evenly as possible, and each region <see cref="AppSpec.MinPerRegion"/> at least.
    /// What does not divide goes to the first regions.
    /// </summary>
    /// <param name="spec">A valid spec.</param>
    /// <param name="regions">Every region of the platform, for a spec that names none.</param>
    public static IReadOnlyDictionary<string, int> Of(AppSpec spec, IReadOnlyList<string> regions)
    {
        var named = spec.Regions ?? [];
        if (named.Count > 0 && named.All(share => share.Replicas is not null))
            return named.ToDictionary(share => share.Region, share => share.Replicas!.Value, StringComparer.Ordinal);
        var chosen = named.Count > 0 ? [.. named.Select(share => share.Region)] : regions;
        return Even(spec.Replicas, chosen).ToDictionary(share => share.Key, share => Math.Max(share.Value, spec.MinPerRegion), StringComparer.Ordinal);
    }

    /// <summary>
    /// What each region runs while some are away: the others take the shares of those as well, evenly. Those that are away keep
    /// theirs, since nobody can tell them otherwise; so do all when none is left.
    /// </summary>
    /// <param name="shares">What each region runs when none is away.</param>
    /// <param name="away">Regions that are away.</param>
    public static IReadOnlyDictionary<string, int> Without(IReadOnlyDictionary<string, int> shares, IReadOnlyCollection<string> away)
    {
        // By name, so that a document that was read again gives the same answer.
        var here = shares.Keys.Except(away, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (here.Count == 0 || here.Count == shares.Count)
            return shares;
        var taken = Even(shares.Where(share => away.Contains(share.Key)).Sum(share => share.Value), here);
        return shares.ToDictionary(share => share.Key, share => share.Value + taken.GetValueOrDefault(share.Key), StringComparer.Ordinal);
    }

    private static Dictionary<string, int> Even(int replicas, IReadOnlyList<string> regions)
    {
        var shares = new Dictionary<string, int>(regions.Count, StringComparer.Ordinal);
        for (var i = 0; i < regions.Count; i++)
            shares[regions[i]] = replicas / regions.Count + (i < replicas % regions.Count ? 1 : 0);
        return shares;
    }
}
