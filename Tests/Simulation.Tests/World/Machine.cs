using Hosting.Placement;
using Hosting.Servers;
using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests.World;

/// <summary>A server: its hardware, its primary, its VMs, and what they all take together.</summary>
internal sealed class Machine(ServerRecord record, IReadOnlyList<Engine> engines, PrimaryLoad load, TimeSpan clockSkew)
{
    private readonly Dictionary<string, DateTimeOffset> _firstStarts = new(StringComparer.Ordinal);
    private (int Cpu, int Memory) _taken;
    private IReadOnlyList<ContainerUsage> _usage = [];
    private bool _changed = true;
    private double _throttle = 1;

    public ServerRecord Record { get; } = record;

    public string Name => Record.Name;

    public IReadOnlyList<Engine> Engines { get; } = engines;

    public PrimaryLoad Load { get; } = load;

    /// <summary>How far its clock is ahead of the control plane's.</summary>
    public TimeSpan ClockSkew { get; } = clockSkew;

    public bool Powered { get; set; } = true;

    public IEnumerable<Process> Processes => Engines.SelectMany(e => e.Processes.Values);

    /// <summary>A process began to run.</summary>
    public void Started(Process process)
    {
        _firstStarts.TryAdd(process.Id, process.StartedAt!.Value);
        Changed();
    }

    /// <summary>When a container's process began to run here for the first time, by this server's clock; null when it never did.</summary>
    public DateTimeOffset? FirstStartOf(string container) => _firstStarts.TryGetValue(container, out var at) ? at : null;

    /// <summary>What runs on it is not what it was.</summary>
    public void Changed() => _changed = true;

    /// <summary>What is measured at a time. Containers get what the primary leaves of the CPU.</summary>
    public (Utilization Utilization, IReadOnlyList<ContainerUsage> Usage) Measure(double seconds)
    {
        var (cpu, memory) = Load.At(seconds);
        if (_changed) Sum();
        var wanted = (double)_taken.Cpu / Record.CpuMillis;
        var throttle = cpu + wanted <= 1 ? 1 : (1 - cpu) / wanted;
        if (_changed || throttle != _throttle) (_usage, _throttle, _changed) = (Usage(throttle), throttle, false);
        return (new Utilization(Math.Min(1, cpu + wanted), Math.Min(1, memory + (double)_taken.Memory / Record.MemoryMiB), cpu), _usage);
    }

    private void Sum()
    {
        _taken = default;
        foreach (var engine in Engines)
            foreach (var process in engine.Processes.Values)
                if (process.Runs) _taken = (_taken.Cpu + process.Takes.CpuMillis, _taken.Memory + process.Takes.MemoryMiB);
    }

    private List<ContainerUsage> Usage(double throttle) =>
        [.. Processes.Where(p => p.Runs).Select(p => new ContainerUsage(p.Id, (int)(p.Takes.CpuMillis * throttle), p.Takes.MemoryMiB))];
}
