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
        (FreeCpu, FreeMemory) = (record.CpuMillis, record.MemoryMiB);
        SetTakes();
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

    /// <summary>Ready, still offered, staying, and not cordoned.</summary>
    public bool Takes { get; private set; }

    /// <summary>The first rule of its own that keeps everything off it; null while it <see cref="Takes"/> containers.</summary>
    public PlacementRule? ClosedBy => Takes ? null : Record.Cordoned || Record.Leaving ? PlacementRule.Cordoned : PlacementRule.VmNotReady;

    public bool Fits(Demand demand) =>
        Takes && demand.CpuMillis <= FreeCpu && demand.MemoryMiB <= FreeMemory && Server.Admits(demand);

    public void Offer(VmRecord record)
    {
        FreeCpu += record.CpuMillis - Record.CpuMillis;
        FreeMemory += record.MemoryMiB - Record.MemoryMiB;
        (Record, Retired) = (record, false);
        SetTakes();
    }

    public void Retire() => (Retired, Takes) = (true, false);

    /// <summary>An operator's policy.</summary>
    public void Configure(bool cordoned, bool draining)
    {
        Record = Record with { Cordoned = cordoned, Draining = draining };
        SetTakes();
    }

    /// <summary>Its agent's word. What it offers may have become less than is promised: then it takes nothing until enough is freed.</summary>
    public void Hear(VmReport report)
    {
        if (Record.Ready == report.Ready && Record.Reason == report.Reason && Record.IsAs(report)) return;
        var next = Record.As(report) with { Ready = report.Ready, Reason = report.Reason };
        FreeCpu += next.CpuMillis - Record.CpuMillis;
        FreeMemory += next.MemoryMiB - Record.MemoryMiB;
        Record = next;
        SetTakes();
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

    private void SetTakes() => Takes = Record.Ready && !Retired && Record is { Cordoned: false, Leaving: false };

    public VmStatus Describe() => new()
    {
        Vm = Record,
        FreeCpuMillis = Math.Max(0, FreeCpu),
        FreeMemoryMiB = Math.Max(0, FreeMemory),
        Containers = Containers,
    };
}
