using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>The rule of the matching: what excludes a VM. The order is that of <see cref="PlacementRule"/>.</summary>
internal static class PlacementRules
{
    public const int Count = (int)PlacementRule.MemoryThreshold + 1;

    /// <summary>The first rule that excludes the VM; null when it matches.</summary>
    public static PlacementRule? Excluding(VmEntry vm, Demand demand, bool allowed) =>
        vm.Server.ClosedBy
        ?? vm.ClosedBy
        ?? (allowed ? Shortage(vm, demand) : PlacementRule.Constraints);

    public static bool LabelsMatch(ServerEntry server, IReadOnlyDictionary<string, string>? constraints)
    {
        if (constraints is null) return true;
        foreach (var (label, value) in constraints)
            if (!server.Record.Labels.TryGetValue(label, out var has) || has != value) return false;
        return true;
    }

    /// <summary>What an open VM on an open server lacks for the demand.</summary>
    public static PlacementRule? Shortage(VmEntry vm, Demand demand) =>
        demand.CpuMillis > vm.FreeCpu ? PlacementRule.FreeCpu
        : demand.MemoryMiB > vm.FreeMemory ? PlacementRule.FreeMemory
        : demand.CpuMillis > vm.Server.HeadroomCpu ? PlacementRule.CpuThreshold
        : demand.MemoryMiB > vm.Server.HeadroomMemory ? PlacementRule.MemoryThreshold
        : null;
}
