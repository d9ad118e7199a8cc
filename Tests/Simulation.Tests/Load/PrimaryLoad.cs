namespace Hosting.Simulation.Tests.Load;

/// <summary>The load of one server's primary: a trace from some row on, made smaller or bigger, and what faults put on top.</summary>
/// <param name="trace">The trace.</param>
/// <param name="firstRow">Where it begins.</param>
/// <param name="scale">Factor for CPU.</param>
/// <param name="speed">Seconds of the trace in a second of the simulation.</param>
internal sealed class PrimaryLoad(PrimaryTrace trace, int firstRow, double scale, double speed)
{
    private const double CalmCpu = 0.35;
    private const double CalmMemory = 0.40;

    /// <summary>CPU on top, as a share.</summary>
    public double JumpCpu { get; set; }

    /// <summary>Memory on top, as a share.</summary>
    public double JumpMemory { get; set; }

    /// <summary>Holds the primary down, so that there is room for every app.</summary>
    public bool Calm { get; set; }

    /// <summary>Shares of CPU and memory at a time, between two rows on the line that joins them.</summary>
    public (double Cpu, double Memory) At(double seconds)
    {
        var position = firstRow + seconds * speed / PrimaryTrace.RowSeconds;
        var row = (int)position;
        var (at, next, part) = (row % trace.Cpu.Length, (row + 1) % trace.Cpu.Length, position - row);
        var cpu = (trace.Cpu[at] + (trace.Cpu[next] - trace.Cpu[at]) * part) * scale + JumpCpu;
        var memory = trace.Memory[at] + (trace.Memory[next] - trace.Memory[at]) * part + JumpMemory;
        return (Math.Clamp(cpu, 0, Calm ? CalmCpu : 1), Math.Clamp(memory, 0, Calm ? CalmMemory : 0.97));
    }
}
