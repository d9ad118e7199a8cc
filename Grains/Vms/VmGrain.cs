using Hosting.Apps;
using Hosting.Domain.Apps;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Hosting.Vms;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Vms;

[RegionPinned, GrainType("vm")]
internal sealed class VmGrain(DeploymentStore store, PoolStore pool, EventLog events, TimeProvider clock, ILogger<VmGrain> log)
    : Grain, IVmGrain
{
    private static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, VmContainer> _containers = new(StringComparer.Ordinal);
    private IAgentLink? _link;
    private long _version;
    private DateTimeOffset _sentAt;

    private string Region { get; set; } = "";
    private string Server { get; set; } = "";
    private string Name { get; set; } = "";

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = this.GetPrimaryKeyString().Split('/');
        (Region, Server, Name) = (key[0], key[1], key[2]);
        // Versions go on rising over activations, because the clock does; should it be behind another silo's, the agent tells.
        _version = clock.GetUtcNow().UtcTicks;
        foreach (var record in await ReadLive(cancellationToken))
            await Adopt(record);
    }

    public async Task Attach(IAgentLink link, IReadOnlyList<ContainerStatus> actual)
    {
        _link = link;
        // What is sent is something new, so that it is sent again should it be lost.
        if (await DropEnded())
            _version++;
        await Report([.. actual.Where(a => a.Vm == Name)]);
        Send();
    }

    public Task Detach()
    {
        _link = null;
        return Task.CompletedTask;
    }

    public Task Run(IReadOnlyList<ContainerRecord> placed, AppSpec spec)
    {
        var added = placed.Count(record => _containers.TryAdd(record.Id, new VmContainer(record, spec, Stop: false)));
        if (added > 0)
            Change();
        return Task.CompletedTask;
    }

    public async Task Drain(IReadOnlyList<string> containers)
    {
        await AdoptUnknown(containers);
        var draining = containers
            .Select(id => _containers.GetValueOrDefault(id)?.Record)
            .OfType<ContainerRecord>()
            .Where(c => c.State < ContainerState.Draining)
            .Select(c => c with { State = ContainerState.Draining })
            .ToList();
        await Write(draining);
    }

    public Task Stop(IReadOnlyList<string> containers)
    {
        var stopping = containers.Where(id => _containers.TryGetValue(id, out var container) && !container.Stop).ToList();
        foreach (var id in stopping)
            _containers[id] = _containers[id] with { Stop = true };
        if (stopping.Count > 0)
            Change();
        return Task.CompletedTask;
    }

    public Task Forget(IReadOnlyList<string> containers)
    {
        var known = containers.Where(_containers.Remove).ToList();
        if (known.Count > 0)
            Change();
        return Task.CompletedTask;
    }

    public async Task Report(IReadOnlyList<ContainerStatus> changed)
    {
        var known = changed.Where(c => _containers.ContainsKey(c.Id)).ToList();
        await End([.. known.Where(c => c.State >= ContainerState.Stopped)]);
        var next = known
            .Where(c => c.State < ContainerState.Stopped)
            .Select(c => ContainerProgress.Next(_containers[c.Id].Record, c))
            .OfType<ContainerRecord>()
            .ToList();
        TellPlacement(next);
        await Write(next);
    }

    public async Task Refresh()
    {
        if (await DropEnded())
            Change();
    }

    public Task<bool> Applied(long version)
    {
        if (version > _version)
        {
            _version = version;
            Change();
        }
        else if (version < _version && clock.GetUtcNow() - _sentAt > ResendAfter)
            Send();
        return Task.FromResult(_link is not null);
    }

    /// <summary>The word of a placement may have been lost; what is drained has to be stopped and ended all the same.</summary>
    private async Task AdoptUnknown(IReadOnlyList<string> containers)
    {
        var unknown = containers.Where(id => !_containers.ContainsKey(id)).ToHashSet(StringComparer.Ordinal);
        if (unknown.Count == 0)
            return;
        foreach (var record in (await ReadLive(CancellationToken.None)).Where(c => unknown.Contains(c.Id)))
            await Adopt(record);
    }

    private async Task<IReadOnlyList<ContainerRecord>> ReadLive(CancellationToken cancellationToken) =>
        [.. (await pool.GetLive(Region, Server, cancellationToken)).Where(c => c.Vm == Name)];

    /// <summary>A container of which nobody knows what it runs can neither be run nor forgotten: it ends with that reason.</summary>
    private async Task Adopt(ContainerRecord record)
    {
        var replicaSet = GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(Region, record.App));
        if (await replicaSet.GetRevision(record.Revision) is { } spec)
            _containers[record.Id] = new VmContainer(record, spec, Stop: false); // a draining one is stopped when its replica set says so
        else
            await Release(new ContainerRelease(record.Id, ContainerState.Failed, "its app is gone"));
    }

    /// <summary>What was replaced while its agent was away is over, and is not run again though the word of it was lost. Whether there was any.</summary>
    private async Task<bool> DropEnded()
    {
        var live = (await ReadLive(CancellationToken.None)).Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        var ended = _containers.Keys.Where(id => !live.Contains(id)).ToList();
        ended.ForEach(id => _containers.Remove(id));
        return ended.Count > 0;
    }

    private async Task Write(List<ContainerRecord> next)
    {
        if (next.Count == 0)
            return;
        await store.Update(next, CancellationToken.None);
        foreach (var record in next)
            LogProgress(_containers[record.Id].Record, record);
        foreach (var record in next)
            _containers[record.Id] = _containers[record.Id] with { Record = record };
        Tell(next);
    }

    private async Task End(List<ContainerStatus> ended)
    {
        if (ended.Count == 0)
            return;
        await Release([.. ended.Select(c => new ContainerRelease(c.Id, c.State, c.Reason))]);
        var records = ended.ConvertAll(c => _containers[c.Id].Record with { State = c.State, Healthy = false, Reason = c.Reason });
        foreach (var record in records)
        {
            _containers.Remove(record.Id);
            Log(record, record.State == ContainerState.Failed ? "failed" : "stopped",
                $"{record.Id} on {Server}/{Name} {(record.State == ContainerState.Failed ? $"failed: {record.Reason}" : "stopped")}");
        }
        Change();
        Tell(records);
    }

    private Task Release(params ContainerRelease[] releases) =>
        GrainFactory.GetGrain<IPlacementGrain>(Region).Release(releases);

    /// <summary>From here on the server's measurements include what it started.</summary>
    private void TellPlacement(List<ContainerRecord> next)
    {
        var started = next
            .Where(r => r.StartedAt is not null && _containers[r.Id].Record.StartedAt != r.StartedAt)
            .Select(r => new ContainerStart(r.Id, r.StartedAt!.Value))
            .ToList();
        if (started.Count > 0)
            GrainFactory.GetGrain<IPlacementGrain>(Region).Started(started).Ignore();
    }

    private void Tell(List<ContainerRecord> changed)
    {
        foreach (var app in changed.GroupBy(c => c.App, StringComparer.Ordinal))
            GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(Region, app.Key)).Observe([.. app]).Ignore();
    }

    private void Change()
    {
        _version++;
        Send();
    }

    private void Send()
    {
        if (_link is null)
            return;
        _sentAt = clock.GetUtcNow();
        // A lost message is sent again when the agent reports an older version: nothing to wait for.
        _link.Apply(new DesiredVm
        {
            Vm = Name,
            Version = _version,
            Containers = [.. _containers.Values.Select(c => new DesiredContainer
            {
                Id = c.Record.Id,
                App = c.Record.App,
                Revision = c.Record.Revision,
                Spec = c.Spec,
                Stop = c.Stop,
            })],
        }).Ignore();
    }

    private void LogProgress(ContainerRecord before, ContainerRecord after)
    {
        if (after.GetsTraffic && !before.GetsTraffic)
            Log(after, "healthy", $"{after.Id} on {Server}/{Name} is healthy at {after.Endpoint}");
        else if (after.Reason is { } reason && reason != before.Reason)
            Log(after, "unhealthy", $"{after.Id} on {Server}/{Name}: {reason}");
    }

    private void Log(ContainerRecord container, string kind, string message)
    {
        log.LogDebug("{Message}", message);
        events.Write(new PlatformEvent
        {
            At = clock.GetUtcNow(),
            Region = Region,
            Server = Server,
            App = container.App,
            Container = container.Id,
            Kind = kind,
            Message = message,
        });
    }

    /// <summary>A container here, with what it runs.</summary>
    private sealed record VmContainer(ContainerRecord Record, AppSpec Spec, bool Stop);
}
