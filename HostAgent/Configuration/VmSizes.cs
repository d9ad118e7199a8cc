using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms.Qemu;

namespace Hosting.HostAgent.Configuration;

/// <summary>How big VMs are whose size is not given: equal parts of what the reserve of the primary and the other VMs leave. Pure.</summary>
internal static class VmSizes
{
    /// <summary>The least that a VM offers, in thousandths of a core.</summary>
    public const int LeastCpuMillis = 100;

    /// <summary>The least that a VM offers, in MiB.</summary>
    public const int LeastMemoryMiB = 64;

    /// <summary>Without a reserve an operator may not expect VMs of more, in MiB.</summary>
    private const int DefaultMostMiB = 4096;

    /// <summary>Completes the sizes.</summary>
    /// <param name="vms">As an operator wrote them. Those that somebody else runs take nothing of the server.</param>
    /// <param name="reserve">What is the primary's.</param>
    /// <param name="server">What there is.</param>
    /// <returns>All VMs with sizes, and what is wrong with them: more than there is was asked for, or nothing is left.</returns>
    public static (IReadOnlyList<VmOptions> Vms, IReadOnlyList<string> Errors) Of(IReadOnlyList<VmOptions> vms, ReserveOptions reserve, Capacity server)
    {
        var errors = new List<string>();
        var own = vms.Where(vm => vm.Driver != "engine").ToList();
        var cpu = Part("CpuMillis", "m CPU", own.ConvertAll(vm => vm.CpuMillis), reserve.CpuMillis, server.CpuMillis, 0, LeastCpuMillis, errors);
        var beside = own.Sum(Beside);
        var memory = Part("MemoryMiB", "MiB", own.ConvertAll(vm => vm.MemoryMiB), reserve.MemoryMiB, server.MemoryMiB - beside, server.MemoryMiB / 2, LeastMemoryMiB, errors);
        if (reserve.MemoryMiB is null)
            memory = Math.Min(memory, DefaultMostMiB);
        return ([.. vms.Select(vm => own.Contains(vm) ? Sized(vm, cpu, memory) : vm)], errors);
    }

    /// <summary>What a VM takes besides what it offers, in MiB.</summary>
    private static int Beside(VmOptions vm) => vm.Driver == "qemu" ? QemuDriver.MostBesideMiB : 0;

    private static VmOptions Sized(VmOptions vm, int cpuMillis, int memoryMiB) => new()
    {
        Name = vm.Name, Driver = vm.Driver, CpuMillis = vm.CpuMillis ?? cpuMillis, MemoryMiB = vm.MemoryMiB ?? memoryMiB,
        DiskMiB = vm.DiskMiB, Endpoint = vm.Endpoint, Address = vm.Address,
    };

    private static int Part(string what, string unit, List<int?> given, int? reserve, int server, int defaultReserve, int least, List<string> errors)
    {
        var open = given.Count(size => size is null);
        var taken = given.Sum(size => size ?? 0);
        var left = server - (reserve ?? defaultReserve) - taken;
        var besides = reserve is null ? "" : $"the reserve of {reserve} and ";
        // Without a reserve VMs may be promised more than there is, as ever: they yield.
        if (reserve is not null && left < 0)
            errors.Add($"Agent:Vms:*:{what}: the VMs have {taken} {unit} together, and of the server's {server} the reserve leaves {server - reserve}: lower one of them.");
        else if (open > 0 && left / open < least)
            errors.Add($"Agent:Vms:*:{what}: of the server's {server} {unit} {besides}the other VMs leave {Math.Max(0, left) / open} for each of {open} VMs, which needs {least}: "
                + "ask for fewer VMs, or lower Agent:Reserve.");
        return open > 0 ? Math.Max(least, left / open) : least;
    }
}
