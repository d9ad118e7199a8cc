using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Reconcile;

namespace Hosting.HostAgent.Utilization;

/// <summary>
/// Measures the containers of VMs that somebody else runs, whose control groups this machine need not have: by asking their engines, one
/// question at a time and at most ten a second, since an engine reads some dozen files for an answer.
/// </summary>
/// <param name="running">Answers what runs in such VMs.</param>
/// <param name="ask">Asks for what one has used; null when its engine does not say.</param>
/// <param name="time">The clock.</param>
internal sealed class EngineUsage(
    Func<IEnumerable<RunningContainer>> running, Func<RunningContainer, CancellationToken, Task<EngineReading?>> ask, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private Dictionary<string, (long At, EngineReading Reading)> _last = [];

    /// <summary>What they used between the last two readings; one that was read only once is missing.</summary>
    public IReadOnlyList<ContainerUsage> Latest { get; private set; } = [];

    /// <summary>Asks in rounds until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Every, time, cancellation);
            await LookAsync(cancellation);
        }
    }

    /// <summary>One round.</summary>
    internal async Task LookAsync(CancellationToken cancellation)
    {
        var readings = new Dictionary<string, (long, EngineReading)>();
        var usage = new List<ContainerUsage>();
        foreach (var container in running().ToList())
        {
            if (readings.Count > 0)
                await Task.Delay(Pause, time, cancellation);
            if (await ask(container, cancellation) is not { } reading)
                continue;
            var at = time.GetTimestamp();
            readings[container.EngineId] = (at, reading);
            if (_last.TryGetValue(container.EngineId, out var before))
                usage.Add(Between(container, before.Reading, reading, time.GetElapsedTime(before.At, at)));
        }
        (_last, Latest) = (readings, usage);
    }

    // A container that was started again counts from 0.
    private static ContainerUsage Between(RunningContainer container, EngineReading before, EngineReading now, TimeSpan elapsed)
    {
        var cores = Math.Max(0, now.CpuSeconds - before.CpuSeconds) / Math.Max(elapsed.TotalSeconds, 0.001);
        return new ContainerUsage(container, (int)Math.Round(cores * 1000), (int)Math.Ceiling(now.MemoryBytes / (1024.0 * 1024)));
    }
}
