using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>What a <see cref="PlacementLedger"/> decided and has reserved already.</summary>
/// <param name="Placed">The reserved deployment records, in <see cref="ContainerState.Placed"/>.</param>
/// <param name="Refusal">Why fewer than asked for were placed; null when all were.</param>
public sealed record PlacementPlan(IReadOnlyList<ContainerRecord> Placed, PlacementRefusal? Refusal);
