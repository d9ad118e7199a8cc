using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Reconcile;

namespace Hosting.HostAgent.Utilization;

/// <summary>What one container uses.</summary>
/// <param name="Container">It.</param>
/// <param name="CpuMillis">Thousandths of a core, averaged since the measurement before.</param>
/// <param name="MemoryMiB">Rounded up, without what the kernel can drop at once.</param>
internal sealed record ContainerUsage(RunningContainer Container, int CpuMillis, int MemoryMiB);

/// <summary>Measures the containers of nested VMs by their control groups; the less often the more there are.</summary>
internal sealed class ContainerUsageSampler(ServerGroups groups, TimeProvider time) : IDisposable
{
    private const int PerSecond = 50;
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromSeconds(1);
    // Samples are taken by a timer that is never quite on time.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, Tracked> _tracked = [];
    private IReadOnlyList<ContainerUsage> _last = [];
    private long? _at;

    /// <summary>What they use; the last answer again while it is fresh enough.</summary>
    /// <param name="running">Answers what runs; asked only when it is needed.</param>
    /// <param name="now">Measure in any case.</param>
    public IReadOnlyList<ContainerUsage> Sample(Func<IEnumerable<RunningContainer>> running, bool now = false)
    {
        var every = TimeSpan.FromSeconds((double)_tracked.Count / PerSecond);
        if (!now && _at is { } last && time.GetElapsedTime(last) < (every > AtMostEvery ? every : AtMostEvery) - Tolerance)
            return _last;
        _at = time.GetTimestamp();
        _last = [.. running().Select(Measure)];
        Forget(_last.Select(usage => usage.Container.EngineId).ToHashSet());
        return _last;
    }

    public void Dispose() => Forget(new HashSet<string>());

    private ContainerUsage Measure(RunningContainer container)
    {
        if (!_tracked.TryGetValue(container.EngineId, out var tracked))
            _tracked[container.EngineId] = tracked = new Tracked(groups.Usage(container.Vm, container.EngineId));
        return tracked.Measure(container, time);
    }

    private void Forget(HashSet<string> all)
    {
        foreach (var (id, tracked) in _tracked.Where(pair => !all.Contains(pair.Key)).ToList())
        {
            tracked.Dispose();
            _tracked.Remove(id);
        }
    }

    private sealed class Tracked(GroupUsage group) : IDisposable
    {
        private (long At, double CpuSeconds)? _last;

        public ContainerUsage Measure(RunningContainer container, TimeProvider time)
        {
            var (at, seconds) = (time.GetTimestamp(), group.CpuSeconds());
            var elapsed = _last is { } last ? time.GetElapsedTime(last.At, at).TotalSeconds : 0;
            // A container that was started again has a new group, which counts from 0.
            var cores = elapsed > 0 ? Math.Max(0, seconds - _last!.Value.CpuSeconds) / elapsed : 0;
            _last = (at, seconds);
            return new ContainerUsage(container, (int)Math.Round(cores * 1000), (int)Math.Ceiling(group.MemoryBytes() / (1024.0 * 1024)));
        }

        public void Dispose() => group.Dispose();
    }
}
