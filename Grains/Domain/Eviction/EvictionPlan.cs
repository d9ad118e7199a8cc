using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>Who has to leave a server.</summary>
/// <param name="Leave">Ids of the containers, those that free most first.</param>
/// <param name="Suffices">Whether the server is under its admit threshold once they are gone; when not, every container leaves.</param>
/// <param name="Needed">What was to be freed; 0 where the server is not over its evict threshold.</param>
public sealed record EvictionPlan(IReadOnlyList<string> Leave, bool Suffices, Demand Needed)
{
    /// <summary>Nobody has to leave.</summary>
    public static EvictionPlan Nobody { get; } = new([], true, default);
}
