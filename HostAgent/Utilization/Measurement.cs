using Hosting.HostAgent.Pressure;

namespace Hosting.HostAgent.Utilization;

/// <summary>Everything that was measured at one moment.</summary>
/// <param name="At">By the server's clock.</param>
/// <param name="Server">The server as a whole.</param>
/// <param name="Containers">Its containers.</param>
/// <param name="PrimaryWait">Share of its time that the primary waited for a CPU; null when it could not be measured.</param>
/// <param name="Hold">The cap that its containers were held to; null without one.</param>
/// <param name="Unprotected">Why the primary may feel the VMs; null when it should not.</param>
internal sealed record Measurement(
    DateTimeOffset At, UtilizationSample Server, IReadOnlyList<ContainerUsage> Containers, double? PrimaryWait, Hold? Hold = null, string? Unprotected = null);
