using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;

namespace Hosting.HostAgent.Utilization;

/// <summary>Measures the server, its containers and its primary together. Not thread-safe.</summary>
internal sealed class ServerSampler(
    AgentSettings settings, ServerGroups groups, Func<IEnumerable<RunningContainer>> running, TimeProvider time) : IDisposable
{
    private readonly UtilizationSampler _server = new(settings.Capacity, settings.HasShare, groups, time);
    private readonly ContainerUsageSampler _containers = new(groups, time);
    private readonly PrimaryThreads _primary = new(new PrimaryProcesses(settings.Primary, groups).List, time);

    /// <summary>Averages over the time since the call before.</summary>
    public Measurement Sample()
    {
        var server = _server.Sample();
        var primary = _primary.Sample();
        // By default the primary is what is not ours, and that is measured better as a whole.
        if (settings.Primary is not null)
            server = server with { PrimaryCpu = Math.Clamp((primary?.Running ?? 0) * 1000 / settings.Capacity.CpuMillis, 0, 1) };
        return new Measurement(time.GetUtcNow(), server, _containers.Sample(running), primary?.WaitShare);
    }

    /// <summary>What the containers use at this moment.</summary>
    public IReadOnlyList<ContainerUsage> Containers() => _containers.Sample(running, now: true);

    public void Dispose()
    {
        _server.Dispose();
        _containers.Dispose();
        _primary.Dispose();
    }
}
