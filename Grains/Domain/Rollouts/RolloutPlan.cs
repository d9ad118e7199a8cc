namespace Hosting.Domain.Rollouts;

/// <summary>What a region should do next to bring an app to its newest revision and number.</summary>
/// <param name="Revision">Revision of the replicas to place: the newest, or after a stop the one that serves.</param>
/// <param name="Place">Replicas of it to place now.</param>
/// <param name="ForMoves">How many of these only take the place of containers that have to leave; the others are missing.</param>
/// <param name="Drain">Containers to take out of traffic and stop now.</param>
/// <param name="End">Lost containers whose record is to be ended now, without their agent's word.</param>
public sealed record RolloutPlan(int Revision, int Place, int ForMoves, IReadOnlyList<string> Drain, IReadOnlyList<string> End)
{
    /// <summary>Whether nothing is to be done.</summary>
    public bool IsEmpty => Place == 0 && Drain.Count == 0 && End.Count == 0;
}
