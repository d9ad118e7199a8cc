using System.Numerics;

namespace Hosting.Domain.Placement;

/// <summary>
/// The order among VMs that match, best first:
/// <list type="number">
/// <item>the server with the fewest replicas of the app (when the app is spread);</item>
/// <item>the server with the most headroom under its admit threshold, in steps of 1/32 of a server, of CPU or memory,
/// whichever is scarcer: servers within a step of each other count as equal, because a measurement is no finer;</item>
/// <item>the server whose largest hole is the smallest, in octaves: large holes are kept for large demands;</item>
/// <item>the server known for longest, so that equal input gives equal answers;</item>
/// <item>on that server, the VM with the least free room (best fit).</item>
/// </list>
/// The second and third are one number a server, independent of the demand, so that an index can hold it.
/// </summary>
internal static class PlacementScore
{
    /// <summary>Bits of <see cref="Of"/>: 5 of headroom, 3 of the largest hole.</summary>
    public const int Bits = 8;

    private const int HeadroomSteps = 32;
    private const int HoleOctaves = 8;
    private const int HoleCpuMillis = 125;
    private const int HoleMemoryMiB = 64;

    /// <summary>0 to 255, lower is better.</summary>
    public static int Of(ServerEntry server) =>
        (HeadroomSteps - 1 - Headroom(server)) * HoleOctaves + LargestHole(server);

    /// <summary>Free room of a VM as a share of its server, CPU and memory together, in a common integer unit.</summary>
    public static long Room(VmEntry vm) =>
        (long)vm.FreeCpu * vm.Server.Record.MemoryMiB + (long)vm.FreeMemory * vm.Server.Record.CpuMillis;

    private static int Headroom(ServerEntry server)
    {
        var cpu = (long)server.HeadroomCpu * HeadroomSteps / server.Record.CpuMillis;
        var memory = (long)server.HeadroomMemory * HeadroomSteps / server.Record.MemoryMiB;
        return (int)Math.Clamp(Math.Min(cpu, memory), 0, HeadroomSteps - 1);
    }

    private static int LargestHole(ServerEntry server)
    {
        var largest = 0;
        foreach (var vm in server.Vms)
            if (vm.Takes) largest = Math.Max(largest, Math.Min(vm.FreeCpu / HoleCpuMillis, vm.FreeMemory / HoleMemoryMiB));
        return Math.Min(HoleOctaves - 1, 32 - BitOperations.LeadingZeroCount((uint)largest));
    }
}
