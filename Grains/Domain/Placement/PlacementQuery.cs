using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>A request with its names resolved.</summary>
/// <param name="Demand">What each replica needs.</param>
/// <param name="App">Replicas of the app so far.</param>
/// <param name="Spread">Whether replicas avoid sharing a server.</param>
/// <param name="Constraints">Labels a server must carry; null when any will do.</param>
/// <param name="Avoid">Servers that must not be chosen.</param>
internal readonly record struct PlacementQuery(
    Demand Demand, AppReplicas App, bool Spread, IReadOnlyDictionary<string, string>? Constraints, HashSet<ServerEntry> Avoid)
{
    public bool Allows(ServerEntry server) => !Avoid.Contains(server) && PlacementRules.LabelsMatch(server, Constraints);
}
