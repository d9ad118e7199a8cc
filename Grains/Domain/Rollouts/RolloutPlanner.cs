using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>What a region should do next to bring an app to its newest revision and number.</summary>
/// <param name="Place">Replicas of the newest revision to place now.</param>
/// <param name="Drain">Containers to take out of traffic and stop now.</param>
public sealed record RolloutPlan(int Place, IReadOnlyList<string> Drain)
{
    /// <summary>Whether nothing is to be done.</summary>
    public bool IsEmpty => Place == 0 && Drain.Count == 0;
}

/// <summary>
/// Plans one step from what is there to what is wanted. Between steps containers become healthy or fail, and the plan is
/// made again: so it needs no memory, and a new spec in the middle just turns it.
/// </summary>
/// <remarks>
/// Two bounds hold at every step. Never more than <c>replicas + maxSurge</c> containers that are not draining, except those
/// that are there already. Of those that get traffic, none is drained that would leave fewer than
/// <c>replicas - maxUnavailable</c>.
/// </remarks>
public static class RolloutPlanner
{
    private static readonly RolloutSpec DefaultBounds = new();

    /// <summary>The next step.</summary>
    /// <param name="wanted">Revision, number and bounds.</param>
    /// <param name="containers">The region's records of the app that are not over.</param>
    public static RolloutPlan Plan(ReplicaSetSpec wanted, IReadOnlyCollection<ContainerRecord> containers)
    {
        var replicas = wanted.Retired ? 0 : wanted.Replicas;
        var bounds = wanted.Spec.Rollout ?? DefaultBounds;
        var staying = containers.Where(c => c.State < ContainerState.Draining).ToList();
        var current = staying.Where(c => c.Revision == wanted.Revision).ToList();
        var old = staying.Where(c => c.Revision != wanted.Revision).ToList();

        var ceiling = replicas + bounds.MaxSurge;
        var place = Math.Clamp(replicas - current.Count, 0, Math.Max(0, ceiling - staying.Count));
        var floor = Math.Max(0, replicas - bounds.MaxUnavailable);
        var spare = staying.Count(c => c.GetsTraffic) - floor;
        return new RolloutPlan(place, ChooseDrains(old, current, current.Count - replicas, spare));
    }

    private static List<string> ChooseDrains(List<ContainerRecord> old, List<ContainerRecord> current, int surplus, int spare)
    {
        var drains = new List<string>();
        foreach (var candidate in InDrainOrder(old).Concat(InDrainOrder(current).Take(Math.Max(0, surplus))))
        {
            if (candidate.GetsTraffic && spare-- <= 0)
                continue;
            drains.Add(candidate.Id);
        }
        return drains;
    }

    // What serves nobody goes first, then the youngest: the oldest has proved itself longest.
    private static IEnumerable<ContainerRecord> InDrainOrder(List<ContainerRecord> containers) =>
        containers.OrderBy(c => c.GetsTraffic).ThenByDescending(c => c.CreatedAt).ThenBy(c => c.Id, StringComparer.Ordinal);
}
