using System.Diagnostics;
using System.Globalization;
using Hosting.HostAgent.Utilization;

namespace Hosting.Benchmarks.Interference;

/// <summary>The primary suddenly needs memory that the VMs have: how long the server is over its agent's limit. How long the primary takes to grow is its own.</summary>
internal static class Relief
{
    private const int RoomMiB = 300;
    private const int GrowthMiB = 700;
    private const int LeastHeldMiB = GrowthMiB - RoomMiB + 100;
    private const double MostSeconds = 2;
    private static readonly MachineMemory Memory = new();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FullWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    public static async Task<IReadOnlyList<Figure>> Measure(string driver, HungryVms vms, Crowd crowd, Primary primary, CancellationToken cancellation)
    {
        await crowd.Go(lowest: true);
        await vms.Watch(true);
        await Full(crowd, cancellation);
        var total = Capacity.OfMachine().MemoryMiB;
        var limit = (double)(UsedMiB() + RoomMiB) / total;
        await vms.Restart(limit, cancellation);
        // It finds its containers first.
        await Task.Delay(Settle, cancellation);
        await Full(crowd, cancellation);
        var (begun, killed) = (Stopwatch.GetTimestamp(), Killed());
        var holding = primary.Hold(GrowthMiB, cancellation);
        long? overSince = null;
        while (Stopwatch.GetElapsedTime(begun) < Patience && (overSince is null || !holding.IsCompleted || UsedMiB() >= limit * total))
        {
            if (UsedMiB() >= limit * total)
                overSince ??= Stopwatch.GetTimestamp();
            await Task.Delay(LookEvery, cancellation);
        }

        var took = Stopwatch.GetElapsedTime(overSince ?? begun).TotalSeconds;
        await holding;
        if (overSince is null)
            throw new PreconditionException("others gave up memory meanwhile: there was no pressure to be relieved of.");
        return
        [
            new Figure($"{driver}: relief of memory", took, "s", null, $"at most {MostSeconds:0} s", took <= MostSeconds),
            new Figure($"{driver}: primary swapped", SwappedMiB(primary), "MiB", null, "none", SwappedMiB(primary) == 0),
            new Figure($"{driver}: killed for memory", Killed() - killed, "", null, "none", Killed() == killed),
        ];
    }

    /// <summary>They hold and let go: what they do not hold they cannot give back.</summary>
    private static async Task Full(Crowd crowd, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        while (crowd.HeldMiB() < LeastHeldMiB)
        {
            if (Stopwatch.GetElapsedTime(since) > FullWithin)
                throw new PreconditionException(string.Create(CultureInfo.InvariantCulture, $"the VMs hold {crowd.HeldMiB():0} MiB, and less than {LeastHeldMiB} are not enough to give back."));
            await Task.Delay(LookEvery, cancellation);
        }
    }

    private static double UsedMiB() => Memory.Read().Used / 1024;

    private static double SwappedMiB(Primary primary) => Number($"/proc/{primary.Id}/status", "VmSwap:") / 1024;

    /// <summary>Processes that the kernel ended for want of memory.</summary>
    private static double Killed() => Number("/proc/vmstat", "oom_kill ");

    private static double Number(string file, string name) => double.Parse(
        File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
