namespace Hosting.Domain.Apps;

/// <summary>How an app's replicas are split over its regions.</summary>
public static class RegionSplit
{
    /// <summary>As evenly as possible; what does not divide goes to the first regions of the list.</summary>
    public static IReadOnlyDictionary<string, int> Even(int replicas, IReadOnlyList<string> regions)
    {
        var shares = new Dictionary<string, int>(regions.Count, StringComparer.Ordinal);
        for (var i = 0; i < regions.Count; i++)
            shares[regions[i]] = replicas / regions.Count + (i < replicas % regions.Count ? 1 : 0);
        return shares;
    }
}
