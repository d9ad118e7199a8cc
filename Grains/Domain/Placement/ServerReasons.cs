using System.Globalization;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>Says why a server takes no new container.</summary>
internal static class ServerReasons
{
    /// <summary>The reason with its numbers; null when it takes some.</summary>
    public static string? NotAdmitting(ServerEntry server, DateTimeOffset now) => Closed(server, now) ?? NoVm(server) ?? OverThreshold(server);

    /// <summary>Why the server is closed to every demand; null when it is open.</summary>
    public static string? Closed(ServerEntry server, DateTimeOffset now) => server.ClosedBy switch
    {
        PlacementRule.Offline => $"offline: {server.LeaveReason}",
        PlacementRule.Stale when server.LastReport is { } last && now > last => Text($"stale: last heard from {(now - last).TotalSeconds:0.0} s ago"),
        PlacementRule.Stale => "stale: no measurement since its agent connected",
        PlacementRule.Cordoned => Cordoned(server.Record.Draining),
        PlacementRule.Unprotected => $"its primary may feel the VMs: {server.Unprotected}",
        _ => null,
    };

    public static string Cordoned(bool draining) => draining ? "being drained by an operator" : "cordoned by an operator";

    public static string Threshold(string what, double projected, double admit) =>
        Text($"projected {what} utilization of {projected * 100:0.#} % is at or over the admit threshold of {admit * 100:0.#} %");

    private static string? NoVm(ServerEntry server) =>
        server.Vms.Length == 0 ? "it offers no VM"
        : Array.Exists(server.Vms, vm => vm.Takes) ? null
        : Array.Exists(server.Vms, vm => vm.ClosedBy == PlacementRule.Cordoned)
            ? Text($"none of its {server.Vms.Length} VMs is ready and not cordoned")
            : Text($"none of its {server.Vms.Length} VMs is ready");

    private static string? OverThreshold(ServerEntry server) =>
        server.HeadroomCpu < 0 ? Threshold("CPU", server.ProjectedCpu(0), server.Thresholds.Admit) + Held(server)
        : server.HeadroomMemory < 0 ? Threshold("memory", server.ProjectedMemory(0), server.Thresholds.Admit)
        : null;

    /// <summary>A server may look as if it had room: only because its containers are kept from using it.</summary>
    private static string Held(ServerEntry server) => server is { CapMillis: { } cap, HeldBack: > 0 }
        ? Text($"; {server.HeldBack * 100:0.#} % of it are what its containers would take if they were not held to {cap} m")
        : "";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
