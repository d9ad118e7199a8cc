using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Placement;

/// <summary>A server in the ledger: its policy, its last measurement and what is under way to it.</summary>
internal sealed class ServerEntry(int id, ServerRecord record, Thresholds defaults)
{
    /// <summary>Dense, from 0: its bit in every bitmap of servers.</summary>
    public int Id { get; } = id;

    public ServerRecord Record { get; private set; } = record;

    /// <summary>CPU of the whole server; as in <see cref="Record"/>, but where decisions find it without another look into memory.</summary>
    public int CpuMillis { get; private set; } = record.CpuMillis;

    /// <summary>As <see cref="CpuMillis"/>, in MiB.</summary>
    public int MemoryMiB { get; private set; } = record.MemoryMiB;

    public bool Cordoned { get; private set; } = record.Cordoned;

    public Thresholds Thresholds { get; private set; } = record.Thresholds ?? defaults;

    public VmEntry[] Vms { get; set; } = [];

    public bool Online { get; set; }

    /// <summary>Why it is offline; null while it is online.</summary>
    public string? LeaveReason { get; set; } = "its agent has not connected yet";

    /// <summary>Heard from lately.</summary>
    public bool Fresh { get; set; }

    public DateTimeOffset? LastReport { get; set; }

    public DateTimeOffset? SampledAt { get; private set; }

    public Utilization? Utilization { get; private set; }

    /// <summary>What would be in use if its containers were not held to less: room that only a cap makes is none.</summary>
    private Utilization? Wanted { get; set; }

    /// <summary>As in the last report.</summary>
    public double? PrimaryWait { get; private set; }

    /// <summary>As in the last report.</summary>
    public int? CapMillis { get; private set; }

    /// <summary>As in the last report.</summary>
    public double HeldBack { get; private set; }

    /// <summary>As in the last report: why its primary may feel its VMs.</summary>
    public string? Unprotected { get; private set; }

    /// <summary>CPU promised here that no report includes yet, in thousandths of a core.</summary>
    public int InFlightCpu { get; private set; }

    /// <summary>Memory promised here that no report includes yet, in MiB.</summary>
    public int InFlightMemory { get; private set; }

    /// <summary>Containers that started and wait for a report sampled afterwards.</summary>
    public List<ContainerEntry> AwaitingSample { get; } = [];

    public ContainerEntry? FirstContainer { get; set; }

    public int Containers { get; set; }

    /// <summary>Where its VMs are in <see cref="VmRooms"/>.</summary>
    public int FirstSlot { get; set; }

    /// <summary>How many VMs have room there.</summary>
    public int Slots { get; set; }

    /// <summary>Its <see cref="PlacementScore"/>, as the index knows it.</summary>
    public int Score { get; set; }

    /// <summary>Neighbours in <see cref="FreshnessQueue"/>.</summary>
    public ServerEntry? Older { get; set; }

    public ServerEntry? Newer { get; set; }

    /// <summary>The largest further CPU demand that keeps projected utilization under the admit threshold; negative when none does.</summary>
    public int HeadroomCpu => _limitCpu - InFlightCpu;

    /// <summary>As <see cref="HeadroomCpu"/>, for memory.</summary>
    public int HeadroomMemory => _limitMemory - InFlightMemory;

    private int _limitCpu = -1;
    private int _limitMemory = -1;

    /// <summary>The first rule that keeps everything off the server, whatever the demand.</summary>
    public PlacementRule? ClosedBy =>
        !Online ? PlacementRule.Offline
        : !Fresh ? PlacementRule.Stale
        : Cordoned ? PlacementRule.Cordoned
        : Unprotected is not null ? PlacementRule.Unprotected
        : null;

    public bool Admits(Demand demand) => demand.CpuMillis <= HeadroomCpu && demand.MemoryMiB <= HeadroomMemory;

    public double ProjectedCpu(int demandMillis) =>
        Projected(Measured(Wanted?.Cpu), InFlightCpu + demandMillis, CpuMillis);

    public double ProjectedMemory(int demandMiB) =>
        Projected(Measured(Wanted?.Memory), InFlightMemory + demandMiB, MemoryMiB);

    public void Configure(ServerRecord record, Thresholds defaults)
    {
        Record = record;
        (CpuMillis, MemoryMiB, Cordoned) = (record.CpuMillis, record.MemoryMiB, record.Cordoned);
        Thresholds = record.Thresholds ?? defaults;
        SetLimits();
    }

    public void Measure(UtilizationReport report)
    {
        (Utilization, Wanted) = (report.Utilization, report.Wanted);
        (PrimaryWait, CapMillis, HeldBack) = (report.PrimaryWait, report.CapMillis, report.HeldBack);
        Unprotected = report.Unprotected;
        SampledAt = report.SampledAt;
        SetLimits();
    }

    public void AddInFlight(Demand demand)
    {
        InFlightCpu += demand.CpuMillis;
        InFlightMemory += demand.MemoryMiB;
    }

    public void RemoveInFlight(Demand demand)
    {
        InFlightCpu -= demand.CpuMillis;
        InFlightMemory -= demand.MemoryMiB;
    }

    public VmEntry? Vm(string name)
    {
        foreach (var vm in Vms)
            if (vm.Record.Name == name) return vm;
        return null;
    }

    /// <summary>
    /// Counts an app's replicas in each VM. Most apps have none on the server, so that a walk over its containers now and
    /// then costs less than counts kept for every app and VM.
    /// </summary>
    public void CountReplicas(AppReplicas app)
    {
        foreach (var vm in Vms) vm.Replicas = 0;
        if (app.On(Id) == 0) return;
        for (var container = FirstContainer; container is not null; container = container.Next)
            if (container.App == app) container.Vm.Replicas++;
    }

    private void SetLimits()
    {
        _limitCpu = Limit(Measured(Wanted?.Cpu), CpuMillis, Thresholds.Admit);
        _limitMemory = Limit(Measured(Wanted?.Memory), MemoryMiB, Thresholds.Admit);
    }

    /// <summary>A share that is no number is taken as a full server: the safe side.</summary>
    private static double Measured(double? share) => share is not { } value ? 0 : double.IsNaN(value) ? 1 : Math.Clamp(value, 0, 1);

    private static double Projected(double share, int amount, int capacity) => share + (double)amount / capacity;

    /// <summary>
    /// The largest amount whose projection stays under the threshold. Found by the projection itself, so that the index,
    /// which compares integers, and an explanation, which shows shares, never disagree by a rounding.
    /// </summary>
    private static int Limit(double share, int capacity, double admit)
    {
        var amount = Math.Max(-1, (int)Math.Floor((admit - share) * capacity));
        while (amount >= 0 && Projected(share, amount, capacity) >= admit) amount--;
        while (Projected(share, amount + 1, capacity) < admit) amount++;
        return amount;
    }
}
