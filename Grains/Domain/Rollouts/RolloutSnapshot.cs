using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>What a plan is made of.</summary>
public sealed record RolloutSnapshot
{
    private static readonly Dictionary<string, MoveCause> NoMoves = [];

    /// <summary>Revision, number and bounds.</summary>
    public required ReplicaSetSpec Wanted { get; init; }

    /// <summary>The region's records of the app that are not over.</summary>
    public required IReadOnlyCollection<ContainerRecord> Containers { get; init; }

    /// <summary>The time, by the clock that records were created by.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Why containers have to leave, by their id.</summary>
    public IReadOnlyDictionary<string, MoveCause> Moves { get; init; } = NoMoves;

    /// <summary>The revision to stay at, or go back to, because the rollout of the newest was stopped; null when it was not.</summary>
    public int? Serving { get; init; }
}
