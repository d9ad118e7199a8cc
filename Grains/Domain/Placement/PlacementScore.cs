using System.Numerics;

namespace Hosting.Domain.Placement;

/// <summary>
/// The order among VMs that match, best first:
/// <list type="number">
/// <item>the server with the fewest replicas of the app (when the app is spread);</item>
/// <item>the server with the most headroom under its admit threshold, of CPU or memory, whichever is scarcer, in steps
/// of 1/32 of a server up to 15/32: a measurement is no finer, and half a server of headroom is plenty;</item>
/// <item>the server whose largest hole is the smallest (up to half a core, 2 cores, 8 cores, more): large holes are kept
/// for large demands;</item>
/// <item>the server known for longest, so that equal input gives equal answers;</item>
/// <item>on that server, the VM with the fewest replicas of the app (when the app is spread): a VM dies alone, too;</item>
/// <item>of those, the VM with the least free room (best fit).</item>
/// </list>
/// The second and third are one number a server, independent of the demand, so that an index can hold it.
/// </summary>
internal static class PlacementScore
{
    /// <summary>Binary digits of <see cref="Of"/>: 4 of headroom, 2 of the largest hole.</summary>
    public const int Bits = 6;

    private const int StepsPerServer = 32;
    private const int HeadroomSteps = 16;
    private const int HoleSizes = 4;

    /// <summary>Holes are measured in small replicas of 125m CPU and 64 MiB.</summary>
    private const int HoleCpuMillis = 125;
    private const int HoleMemoryMiB = 64;

    /// <summary>0 to 63, lower is better.</summary>
    public static int Of(ServerEntry server) =>
        (HeadroomSteps - 1 - Headroom(server)) * HoleSizes + LargestHole(server);

    /// <summary>Free room of a VM as a share of its server, CPU and memory together, in a common integer unit.</summary>
    public static long Room(VmEntry vm) =>
        (long)vm.FreeCpu * vm.Server.MemoryMiB + (long)vm.FreeMemory * vm.Server.CpuMillis;

    /// <summary>Whether one VM of a server is better than another of it.</summary>
    /// <param name="vm">The one, with its <see cref="VmEntry.Replicas"/> counted if the app is spread.</param>
    /// <param name="other">The other.</param>
    /// <param name="spread">Whether the app is spread.</param>
    public static bool Precedes(VmEntry vm, VmEntry other, bool spread) =>
        spread && vm.Replicas != other.Replicas ? vm.Replicas < other.Replicas : Room(vm) < Room(other);

    private static int Headroom(ServerEntry server)
    {
        var cpu = (long)server.HeadroomCpu * StepsPerServer / server.CpuMillis;
        var memory = (long)server.HeadroomMemory * StepsPerServer / server.MemoryMiB;
        return (int)Math.Clamp(Math.Min(cpu, memory), 0, HeadroomSteps - 1);
    }

    private static int LargestHole(ServerEntry server)
    {
        var largest = 0;
        foreach (var vm in server.Vms)
            if (vm.Takes) largest = Math.Max(largest, Math.Min(vm.FreeCpu / HoleCpuMillis, vm.FreeMemory / HoleMemoryMiB));
        return Math.Min(HoleSizes - 1, BitOperations.Log2((uint)largest | 1) / 2);
    }
}
