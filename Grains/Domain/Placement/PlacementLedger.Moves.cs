using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <content>What could leave.</content>
public sealed partial class PlacementLedger
{
    /// <summary>
    /// Which of a server's containers other servers could take now, all of them together. In the order given: what an
    /// earlier one would take, a later one does not find. Changes nothing.
    /// </summary>
    /// <param name="server">The server they would leave.</param>
    /// <param name="candidates">Its containers; those that are not known have no room.</param>
    /// <param name="now">The time.</param>
    public IReadOnlySet<string> FindRoom(string server, IReadOnlyList<MoveCandidate> candidates, DateTimeOffset now)
    {
        var movable = new HashSet<string>(candidates.Count);
        var probes = new List<string>(candidates.Count);
        foreach (var candidate in candidates)
        {
            if (Find(candidate.Container) is not { } record) continue;
            var plan = Place(Elsewhere(record, server, candidate.Constraints), _ => $"{record.Id}?", now);
            probes.AddRange(plan.Placed.Select(placed => placed.Id));
            if (plan.Placed.Count > 0) movable.Add(candidate.Container);
        }
        foreach (var probe in probes) Release(probe);
        return movable;
    }

    private static PlacementRequest Elsewhere(ContainerRecord record, string server, IReadOnlyDictionary<string, string>? constraints) => new()
    {
        App = record.App,
        Revision = record.Revision,
        Demand = record.Demand,
        Constraints = constraints,
        Avoid = [server],
    };
}
