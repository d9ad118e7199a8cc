using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Placement;

/// <summary>A VM in the ledger: what it offers and what is left of it. What decisions read lies in the entry itself, not behind its record.</summary>
internal sealed class VmEntry
{
    public VmEntry(ServerEntry server, VmRecord record)
    {
        Server = server;
        Record = record;
        (FreeCpu, FreeMemory, Takes) = (record.CpuMillis, record.MemoryMiB, record.Ready);
    }

    public ServerEntry Server { get; }

    public VmRecord Record { get; private set; }

    /// <summary>Not promised to any container; negative when a restore or a resize left more promised than offered.</summary>
    public int FreeCpu { get; private set; }

    /// <summary>As <see cref="FreeCpu"/>, in MiB.</summary>
    public int FreeMemory { get; private set; }

    public int Containers { get; private set; }

    /// <summary>Replicas of the app that <see cref="ServerEntry.CountReplicas"/> counted last.</summary>
    public int Replicas { get; set; }

    /// <summary>Its server no longer has it: it goes with its last container.</summary>
    public bool Retired { get; private set; }

    /// <summary>Ready, and still offered.</summary>
    public bool Takes { get; private set; }

    public bool Fits(Demand demand) =>
        Takes && demand.CpuMillis <= FreeCpu && demand.MemoryMiB <= FreeMemory && Server.Admits(demand);

    public void Offer(VmRecord record)
    {
        FreeCpu += record.CpuMillis - Record.CpuMillis;
        FreeMemory += record.MemoryMiB - Record.MemoryMiB;
        (Record, Retired, Takes) = (record, false, record.Ready);
    }

    public void Retire() => (Retired, Takes) = (true, false);

    public void SetReady(bool ready, string? reason)
    {
        if (Record.Ready == ready && Record.Reason == reason) return;
        Record = Record with { Ready = ready, Reason = reason };
        Takes = ready && !Retired;
    }

    public void Take(Demand demand)
    {
        FreeCpu -= demand.CpuMillis;
        FreeMemory -= demand.MemoryMiB;
        Containers++;
    }

    public void Free(Demand demand)
    {
        FreeCpu += demand.CpuMillis;
        FreeMemory += demand.MemoryMiB;
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
