using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>Where a rollback goes, and what it brings back.</summary>
public static class Rollbacks
{
    /// <summary>Where a rollback goes that names no revision; null when there is nothing to go back to.</summary>
    /// <param name="current">The newest revision.</param>
    /// <param name="kept">Revisions whose specs are kept.</param>
    /// <param name="serving">After a stopped rollout the revision that serves; else null.</param>
    public static int? DefaultTarget(int current, IEnumerable<int> kept, int? serving)
    {
        var earlier = kept.Where(r => r < current).ToList();
        return serving is { } s && earlier.Contains(s) ? s : earlier.Count > 0 ? earlier.Max() : null;
    }

    /// <summary>What an earlier revision ran, with everything that is no part of a revision (see <see cref="AppSpecComparison.RunTheSame"/>) as it is today.</summary>
    public static AppSpec Spec(AppSpec earlier, AppSpec today) => earlier with
    {
        Replicas = today.Replicas,
        Regions = today.Regions,
        MinPerRegion = today.MinPerRegion,
        Failover = today.Failover,
        Hostnames = today.Hostnames,
        Rollout = today.Rollout,
        Spread = today.Spread,
        Placement = today.Placement,
    };

    /// <summary>Why there is no rollback to a revision, and what there is.</summary>
    /// <param name="wanted">The revision asked for; null when none was named.</param>
    /// <param name="current">The newest revision.</param>
    /// <param name="kept">Revisions whose specs are kept.</param>
    public static string Refusal(int? wanted, int current, IEnumerable<int> kept)
    {
        var list = string.Join(", ", kept.OrderDescending().Select(r => r == current ? $"{r} (the newest)" : $"{r}"));
        return wanted is { } revision
            ? $"revision {revision} is not kept; kept are {list}. Choose one of them, or deploy the spec again."
            : $"there is no earlier revision to go back to; kept are {list}. Deploy the spec you want.";
    }
}
