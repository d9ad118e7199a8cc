using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>Questions about a rollout from one revision to the next.</summary>
public static class Rollout
{
    /// <summary>
    /// The revision that serves while a newer one is rolled out, and to which a stopped rollout goes back: of those with
    /// healthy containers the one with most of them, the newer of equals. Without any, the one that served before.
    /// </summary>
    /// <param name="newest">The revision that is to be rolled out; it is not asked for.</param>
    /// <param name="containers">The region's records of the app that are not over.</param>
    /// <param name="before">The revision that served before; null when the last rollout was complete.</param>
    public static int? ServingBeside(int newest, IEnumerable<ContainerRecord> containers, int? before) =>
        containers.Where(c => c.GetsTraffic && c.Revision != newest)
            .GroupBy(c => c.Revision)
            .OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key)
            .Select(g => (int?)g.Key)
            .FirstOrDefault() ?? (before == newest ? null : before);

    /// <summary>Whether every wanted replica is of the newest revision and healthy, and no other revision is left to be replaced.</summary>
    public static bool IsComplete(ReplicaSetSpec wanted, IReadOnlyCollection<ContainerRecord> containers) =>
        containers.Count(c => c.GetsTraffic && c.Revision == wanted.Revision) >= wanted.Replicas
        && containers.All(c => c.Revision == wanted.Revision || c.State >= ContainerState.Draining);

    /// <summary>
    /// Whether lack of room alone holds the rollout up: something could not be placed, and no replica of the newest
    /// revision is there that fails.
    /// </summary>
    public static bool WaitsForRoom(ReplicaSetSpec wanted, IEnumerable<ContainerRecord> containers, bool refused) =>
        refused && containers.All(c => c.Revision != wanted.Revision || c.GetsTraffic || c.State >= ContainerState.Draining);

    /// <summary>Why a rollout is stopped, for people.</summary>
    /// <param name="wanted">What was rolled out.</param>
    /// <param name="containers">The region's records of the app that are not over.</param>
    /// <param name="serving">The revision that serves instead.</param>
    public static string WhyStopped(ReplicaSetSpec wanted, IEnumerable<ContainerRecord> containers, int serving)
    {
        var seconds = (wanted.Spec.Rollout ?? new RolloutSpec()).ProgressDeadlineSeconds;
        var culprit = containers
            .Where(c => c.Revision == wanted.Revision && !c.GetsTraffic && c.State < ContainerState.Draining)
            .OrderBy(c => c.Reason is null).ThenBy(c => c.CreatedAt)
            .Select(c => $" ({c.Id}: {c.Reason ?? "it did not become healthy, and says no reason"})")
            .FirstOrDefault();
        return $"rollout of revision {wanted.Revision} stopped: no replica more became healthy in {seconds} s{culprit}; revision {serving} serves";
    }
}
