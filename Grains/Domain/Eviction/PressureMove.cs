using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>A container that leaves its server because of pressure.</summary>
/// <param name="Container">Its record.</param>
/// <param name="Frees">What its leaving frees.</param>
/// <param name="Reason">Why, with the numbers of the decision.</param>
/// <param name="Begun">Whether the region's budget let it begin.</param>
/// <param name="Since">When it was decided, or began.</param>
public sealed record PressureMove(ContainerRecord Container, Demand Frees, string Reason, bool Begun, DateTimeOffset Since);

/// <summary>What a look at a server's pressure came to.</summary>
/// <param name="Chosen">Containers that have to leave since this look.</param>
/// <param name="Stay">Containers that had to leave and need not any more.</param>
/// <param name="Reason">Why, with the numbers; null when nothing was decided.</param>
public sealed record PressureDecision(IReadOnlyList<PressureMove> Chosen, IReadOnlyList<string> Stay, string? Reason)
{
    /// <summary>All is as it was.</summary>
    public static PressureDecision None { get; } = new([], [], null);
}
