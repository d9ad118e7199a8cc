using Hosting.Apps;
using Hosting.Domain.Apps;
using Hosting.Placement;
using Hosting.Simulation.Tests.Time;
using Hosting.Simulation.Tests.World;
using Hosting.Vms;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays the grain of one VM: what should run there, and what its agent reports there, by the real rules of progress.</summary>
internal sealed class VmPart : Activation
{
    private static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(1);

    private readonly Turns _turns = new();
    private readonly string _server;
    private readonly string _name;
    private readonly Dictionary<string, Entry> _containers = new(StringComparer.Ordinal);
    private AgentLink? _link;
    private long _version;
    private DateTimeOffset _sentAt;

    public VmPart(Region region, string server, string name)
        : base(region)
    {
        (_server, _name) = (server, name);
        _version = region.Now.UtcTicks;
    }

    /// <summary>Whether it can reach its agent.</summary>
    public bool IsLinked => _link is not null;

    private IEnumerable<ContainerRecord> Durable => Region.Database.OnServer(_server).Where(c => c.Vm == _name);

    /// <summary>A new activation: it reads the records of its containers, and what they run from their apps.</summary>
    public void Activate()
    {
        BeginAnew();
        _containers.Clear();
        (_version, _link) = (Region.Now.UtcTicks, null);
        foreach (var record in Durable) Adopt(record);
    }

    public Task Attach(AgentLink link, IReadOnlyList<ContainerStatus> actual) => _turns.Run(async () =>
    {
        _link = link;
        await Write();
        if (DropEnded()) _version++;
        await Take([.. actual.Where(a => a.Vm == _name)]);
        Send();
    });

    public Task Detach() => _turns.Run(() => { _link = null; return Task.CompletedTask; });

    public Task Run(IReadOnlyList<ContainerRecord> placed, AppSpec spec) => _turns.Run(() =>
    {
        var added = placed.Count(record => _containers.TryAdd(record.Id, new Entry(record, spec, false)));
        if (added > 0) Change();
        return Task.CompletedTask;
    });

    public Task Drain(IReadOnlyList<string> containers) => _turns.Run(async () =>
    {
        // The word of a placement may have been lost.
        foreach (var record in Durable.Where(c => containers.Contains(c.Id) && !_containers.ContainsKey(c.Id)).ToList()) Adopt(record);
        await Write([.. containers.Select(id => _containers.GetValueOrDefault(id)?.Record).OfType<ContainerRecord>()
            .Where(c => c.State < ContainerState.Draining)
            .Select(c => c with { State = ContainerState.Draining })]);
    });

    public Task Stop(IReadOnlyList<string> containers) => _turns.Run(() =>
    {
        var stopping = containers.Where(id => _containers.TryGetValue(id, out var known) && !known.Stop).ToList();
        foreach (var id in stopping) _containers[id] = _containers[id] with { Stop = true };
        if (stopping.Count > 0) Change();
        return Task.CompletedTask;
    });

    public Task Forget(IReadOnlyList<string> containers) => _turns.Run(() =>
    {
        var removed = containers.Count(_containers.Remove);
        if (removed > 0) Change();
        return Task.CompletedTask;
    });

    public Task Refresh() => _turns.Run(async () =>
    {
        await Write();
        if (DropEnded()) Change();
    });

    public Task Report(IReadOnlyList<ContainerStatus> changed) => _turns.Run(() => Take(changed));

    /// <summary>
    /// The version that its agent works on; an older one is sent again. False when it does not know how to reach its agent. A hint,
    /// which a busy grain takes later and a simulation may drop.
    /// </summary>
    public bool Applied(long version)
    {
        if (!_turns.Busy && version < _version && Region.Now - _sentAt > ResendAfter) Send();
        return _turns.Busy || IsLinked;
    }

    private void Adopt(ContainerRecord record)
    {
        if (Region.App(record.App).Revision(record.Revision) is { } spec) _containers[record.Id] = new Entry(record, spec, false);
        else Region.Run(() => Release([new ContainerRelease(record.Id, ContainerState.Failed, "its app is gone")]));
    }

    private async Task Take(IReadOnlyList<ContainerStatus> changed)
    {
        var known = changed.Where(c => _containers.ContainsKey(c.Id)).ToList();
        await End(known.FindAll(c => c.State >= ContainerState.Stopped));
        var next = known.Where(c => c.State < ContainerState.Stopped)
            .Select(c => ContainerProgress.Next(_containers[c.Id].Record, c))
            .OfType<ContainerRecord>()
            .ToList();
        TellPlacement(next);
        await Write(next);
    }

    private bool DropEnded()
    {
        var live = Durable.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        var ended = _containers.Keys.Where(id => !live.Contains(id)).ToList();
        foreach (var id in ended) _containers.Remove(id);
        return ended.Count > 0;
    }

    private async Task Write(List<ContainerRecord> next)
    {
        if (next.Count == 0) return;
        await Write();
        Region.Database.Update(next);
        foreach (var record in next) _containers[record.Id] = _containers[record.Id] with { Record = record };
        Tell(next);
    }

    private async Task End(List<ContainerStatus> ended)
    {
        if (ended.Count == 0) return;
        await Release([.. ended.Select(c => new ContainerRelease(c.Id, c.State, c.Reason))]);
        var records = ended.ConvertAll(c => _containers[c.Id].Record with { State = c.State, Healthy = false, Reason = c.Reason });
        foreach (var record in records) _containers.Remove(record.Id);
        Change();
        Tell(records);
    }

    private Task Release(IReadOnlyList<ContainerRelease> releases) => Call(() => Region.Placement.Release(releases));

    private void TellPlacement(List<ContainerRecord> next)
    {
        var started = next.Where(r => r.StartedAt is not null && _containers[r.Id].Record.StartedAt != r.StartedAt)
            .Select(r => new ContainerStart(r.Id, r.StartedAt!.Value))
            .ToList();
        if (started.Count > 0) Region.Network.Tell(() => Region.Placement.Started(started));
    }

    private void Tell(List<ContainerRecord> changed)
    {
        foreach (var app in changed.GroupBy(c => c.App, StringComparer.Ordinal))
        {
            var records = app.ToList();
            Region.Network.Tell(() => Region.App(app.Key).Observe(records));
        }
    }

    private void Change()
    {
        _version++;
        Send();
    }

    private void Send()
    {
        if (_link is null) return;
        _sentAt = Region.Now;
        _link.Apply(new DesiredVm
        {
            Vm = _name,
            Version = _version,
            Containers = [.. _containers.Values.Select(c => new DesiredContainer
            {
                Id = c.Record.Id, App = c.Record.App, Revision = c.Record.Revision, Spec = c.Spec, Stop = c.Stop,
            })],
        });
    }

    private sealed record Entry(ContainerRecord Record, AppSpec Spec, bool Stop);
}
