using System.Diagnostics;
using Hosting.HostAgent.Utilization;

namespace Hosting.Benchmarks.Interference;

/// <summary>What the neighbours do in a window.</summary>
internal enum Neighbours
{
    /// <summary>They stand still.</summary>
    Alone,

    /// <summary>They run as the agent keeps them.</summary>
    Ours,

    /// <summary>They run at the weight that everything has.</summary>
    Unprotected,

    /// <summary>They stand still once more: how far two windows of the same are apart is noise.</summary>
    AloneAgain,
}

/// <summary>What was measured in a window.</summary>
/// <param name="Primary">The primary's own figures.</param>
/// <param name="Seconds">Its length, with the last answers.</param>
/// <param name="Harvested">Share of the CPU that the primary left idle which the neighbours used.</param>
/// <param name="Others">Share of the server's CPU that neither the primary nor the neighbours used, or that was taken from the whole server.</param>
internal sealed record Measured(Window Primary, double Seconds, double Harvested, double Others)
{
    private readonly int[] _sorted = [.. Primary.Latencies.Order()];

    /// <summary>Milliseconds, by nearest rank.</summary>
    public double Percentile(double percent) => Percentile(_sorted, percent);

    /// <summary>Milliseconds, by nearest rank, of microseconds in order.</summary>
    public static double Percentile(IReadOnlyList<int> sorted, double percent) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100) - 1)] / 1000.0;

    /// <summary>Share of the server's CPU that the primary used: its load as it was, where the machine is faster or slower than a moment ago.</summary>
    public double Used => Primary.CpuSeconds / (Seconds * Environment.ProcessorCount);

    /// <summary>Share of the server's CPU that nobody used: while the neighbours stand still, all that there is to harvest.</summary>
    public double Idle => Math.Max(0, 1 - Used - HarvestedOfServer - Others);

    /// <summary>Share of the server's CPU that the neighbours used.</summary>
    public double HarvestedOfServer => Harvested * (1 - Used);

    /// <summary>Milliseconds that threads of the primary waited for a CPU, for each second of the window.</summary>
    public double Wait => Primary.WaitSeconds * 1000 / Seconds;
}

/// <summary>The primary under one load, alone and beside its neighbours, in windows one right after the other with the same requests.</summary>
internal sealed class Trial(Primary primary, Crowd crowd, HungryVms? vms, double seconds)
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    /// <summary>One round: each of them once, each time in another order.</summary>
    public async Task<IReadOnlyDictionary<Neighbours, Measured>> Round(double load, int round, CancellationToken cancellation)
    {
        var all = Enum.GetValues<Neighbours>();
        var found = new Dictionary<Neighbours, Measured>();
        for (var i = 0; i < all.Length; i++)
        {
            var neighbours = all[(i + round) % all.Length];
            await Put(neighbours);
            await Task.Delay(Settle, cancellation);
            found[neighbours] = await Measure(new WindowOrder(load, seconds, round), cancellation);
        }

        return found;
    }

    private async Task Put(Neighbours neighbours)
    {
        // An agent that sees what it is there to prevent narrows the VMs' quota, for longer than a window.
        await (vms?.Watch(neighbours != Neighbours.Unprotected) ?? Task.CompletedTask);
        await (neighbours switch
        {
            Neighbours.Ours => crowd.Go(lowest: true),
            Neighbours.Unprotected => crowd.Go(lowest: false),
            _ => crowd.Freeze(),
        });
    }

    private async Task<Measured> Measure(WindowOrder order, CancellationToken cancellation)
    {
        var (begun, machine, theirs) = (Stopwatch.GetTimestamp(), Machine(), crowd.CpuSeconds());
        var window = await primary.Serve(order, cancellation);
        theirs = crowd.CpuSeconds() - theirs;
        var now = Machine();
        var elapsed = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var all = elapsed * Environment.ProcessorCount;
        // What the hypervisor took is in neither of them.
        var stolen = Math.Max(0, all - (now.Total - machine.Total));
        return new Measured(window, elapsed, theirs / (all - window.CpuSeconds), Math.Max(0, now.Busy - machine.Busy + stolen - theirs - window.CpuSeconds) / all);
    }

    private static (double Busy, double Total) Machine() => UtilizationSampler.MachineCpu(File.ReadAllBytes("/proc/stat"));
}
