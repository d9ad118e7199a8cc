using Hosting.HostAgent.Configuration;

namespace Hosting.HostAgent.Elastic;

/// <summary>Which VMs stay, go and come when the server is to have others. Pure.</summary>
internal static class FleetPlan
{
    /// <summary>A VM that is empty stays so long after it was told that it leaves: what was placed in it before is known by then.</summary>
    public static readonly TimeSpan ToldAfter = TimeSpan.FromSeconds(3);

    /// <summary>How long the control plane has to empty a VM that is to go; while there is none, nothing could be moved.</summary>
    public static readonly TimeSpan EmptiedWithin = TimeSpan.FromMinutes(5);

    /// <summary>What a VM that is there is to be from now on; null when it has to go.</summary>
    public static VmSettings? Next(VmSettings present, IReadOnlyList<VmSettings> wanted)
    {
        var next = wanted.FirstOrDefault(vm => vm.Name == present.Name);
        return next is not null && FitsInPlace(present, next) ? next : null;
    }

    /// <summary>VMs that are wanted and whose name no VM has that is still there.</summary>
    public static IReadOnlyList<VmSettings> Missing(IEnumerable<string> present, IReadOnlyList<VmSettings> wanted) =>
        [.. wanted.ExceptBy(present, vm => vm.Name)];

    /// <summary>Whether a VM that is to go may be removed.</summary>
    /// <param name="leavingFor">How long it has been leaving.</param>
    /// <param name="movableFor">How much of that there was a control plane to move its containers.</param>
    /// <param name="containers">Containers that are still wanted in it.</param>
    public static bool IsDue(TimeSpan leavingFor, TimeSpan movableFor, int containers) =>
        containers == 0 ? leavingFor >= ToldAfter : movableFor >= EmptiedWithin;

    /// <summary>Whether a VM that could not be removed is dropped all the same: one that somebody else runs and that is gone for good. The others are on this server.</summary>
    /// <param name="vm">It.</param>
    /// <param name="leavingFor">How long it has been leaving.</param>
    public static bool IsGivenUp(VmSettings vm, TimeSpan leavingFor) => vm.Driver == VmDriverKind.Engine && leavingFor >= EmptiedWithin;

    /// <summary>A real VM keeps the machine it was started with; the others only have limits, which change while they run.</summary>
    private static bool FitsInPlace(VmSettings present, VmSettings next) =>
        present == next || (present.Driver != VmDriverKind.Qemu && present with { Capacity = next.Capacity } == next);
}
