using Hosting.Servers;
using Hosting.Vms;

namespace Hosting.Simulation.Tests.World;

/// <summary>A VM with its container engine.</summary>
internal sealed class Engine(string name, int cpuMillis, int memoryMiB)
{
    public string Name { get; } = name;

    public int CpuMillis { get; } = cpuMillis;

    public int MemoryMiB { get; } = memoryMiB;

    public bool Ready { get; set; } = true;

    /// <summary>It will not come back by itself.</summary>
    public bool Gone { get; set; }

    public string? Reason { get; set; }

    /// <summary>What its agent keeps on its disk.</summary>
    public DesiredVm? Desired { get; set; }

    /// <summary>What runs, or ended and is still desired.</summary>
    public Dictionary<string, Process> Processes { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a report of it is still true.</summary>
    public bool Is(VmReport report) =>
        report.Ready == Ready && report.Gone == Gone && report.AppliedVersion == (Desired?.Version ?? 0) && report.Reason == Reason;

    public VmReport Report => new(Name, Ready, Desired?.Version ?? 0, Reason, Gone);
}
