using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Placement;

/// <summary>A VM in the ledger: what it offers and what is promised of it.</summary>
internal sealed class VmEntry(ServerEntry server, VmRecord record)
{
    public ServerEntry Server { get; } = server;

    public VmRecord Record { get; set; } = record;

    public int UsedCpu { get; private set; }

    public int UsedMemory { get; private set; }

    public int Containers { get; private set; }

    /// <summary>Its server no longer has it: it goes with its last container.</summary>
    public bool Retired { get; set; }

    public bool Takes => Record.Ready && !Retired;

    /// <summary>Negative when a restore or a resize left more promised than offered.</summary>
    public int FreeCpu => Record.CpuMillis - UsedCpu;

    public int FreeMemory => Record.MemoryMiB - UsedMemory;

    public bool Fits(Demand demand) =>
        Takes && demand.CpuMillis <= FreeCpu && demand.MemoryMiB <= FreeMemory && Server.Admits(demand);

    public void Take(Demand demand)
    {
        UsedCpu += demand.CpuMillis;
        UsedMemory += demand.MemoryMiB;
        Containers++;
    }

    public void Free(Demand demand)
    {
        UsedCpu -= demand.CpuMillis;
        UsedMemory -= demand.MemoryMiB;
        Containers--;
    }

    public VmStatus Describe() => new()
    {
        Vm = Record,
        FreeCpuMillis = Math.Max(0, FreeCpu),
        FreeMemoryMiB = Math.Max(0, FreeMemory),
        Containers = Containers,
    };
}
