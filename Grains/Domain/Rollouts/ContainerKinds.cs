using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>The containers of a plan by kind, see <see cref="RolloutPlanner"/>; draining ones are in none, unless they are lost.</summary>
internal sealed record ContainerKinds(
    List<ContainerRecord> Current, List<ContainerRecord> Old, List<ContainerRecord> Leaving, List<ContainerRecord> Lost)
{
    /// <summary>Containers that count for the ceiling.</summary>
    public int Here => Current.Count + Old.Count + Leaving.Count;

    /// <summary>Of these, the ones that get traffic.</summary>
    public int Healthy => Current.Concat(Old).Concat(Leaving).Count(c => c.GetsTraffic);

    /// <summary>Current containers without traffic that were placed before the given time.</summary>
    public int Sick(DateTimeOffset placedBefore) => Current.Count(c => !c.GetsTraffic && c.CreatedAt < placedBefore);

    /// <summary>Sorts them.</summary>
    public static ContainerKinds Of(RolloutSnapshot snapshot)
    {
        var kinds = new ContainerKinds([], [], [], []);
        var revision = snapshot.Serving ?? snapshot.Wanted.Revision;
        foreach (var container in snapshot.Containers)
            kinds.ListFor(container, snapshot.Moves.TryGetValue(container.Id, out var cause) ? cause : null, revision)?.Add(container);
        return kinds;
    }

    /// <summary>What serves nobody goes first, then the youngest: the oldest has proved itself longest.</summary>
    public static IEnumerable<ContainerRecord> InDrainOrder(IEnumerable<ContainerRecord> containers) => ByAge(containers).OrderBy(c => c.GetsTraffic);

    /// <summary>The youngest first.</summary>
    public static IEnumerable<ContainerRecord> ByAge(IEnumerable<ContainerRecord> containers) =>
        containers.OrderByDescending(c => c.CreatedAt).ThenBy(c => c.Id, StringComparer.Ordinal);

    private List<ContainerRecord>? ListFor(ContainerRecord container, MoveCause? cause, int revision) => cause switch
    {
        MoveCause.Lost => Lost,
        _ when container.State >= ContainerState.Draining => null,
        null => container.Revision == revision ? Current : Old,
        _ => Leaving,
    };
}
