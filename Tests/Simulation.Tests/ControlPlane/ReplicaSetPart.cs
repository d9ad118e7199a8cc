using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;
using Hosting.Simulation.Tests.Time;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>
/// Plays the grain of one app around the real planner: one step at a time, the next at once after a change and every 500 ms
/// while something is open. What is settled is looked at with the grain's resync only, because a step then changes nothing.
/// </summary>
internal sealed partial class ReplicaSetPart(Region region, string app) : Activation(region)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ResyncAfter = TimeSpan.FromSeconds(15);

    private readonly Turns _turns = new();
    private ReplicaSetContainers _records = null!;
    private ContainerMoves _moves = null!;
    private Share _share = new();
    private RolloutProgress _progress = null!;
    private bool _refused;
    private DateTimeOffset _resyncedAt;
    private long _timer;

    public string App { get; } = app;

    /// <summary>Revision that serves after the rollout of the wanted one was stopped; null when it was not.</summary>
    public int? StoppedAt => _share.Stopped ? _share.Serving : null;

    public bool IsSettled => _share.Wanted is { } wanted && !_refused && _moves.Count == 0 && (_share.Serving is null || _share.Stopped)
        && _records.All is var all && all.Count == (wanted.Retired ? 0 : wanted.Replicas)
        && all.All(c => c.GetsTraffic && c.Revision == (StoppedAt ?? wanted.Revision));

    /// <summary>A new activation: its document is durable, everything else is read again or forgotten.</summary>
    public void Activate()
    {
        BeginAnew();
        (_records, _moves, _progress, _refused) = (new ReplicaSetContainers(), new ContainerMoves(), RolloutProgress.Begin(Region.Now), false);
        _drainingSince.Clear();
        Resync();
        Work(RetryAfter);
    }

    public AppSpec? Revision(int revision) => _share.Revisions.GetValueOrDefault(revision);

    /// <summary>Sets what should run here; answered once durable.</summary>
    public Task Apply(ReplicaSetSpec spec) => _turns.Run(async () =>
    {
        var known = _share.Wanted;
        if (known is not null && known.Generation >= spec.Generation) return;
        var next = known?.Revision == spec.Revision ? _share : BeginRollout(spec);
        await Write();
        var used = _records.All.Select(c => c.Revision).ToHashSet();
        _share = next with
        {
            Wanted = spec,
            Revisions = new(next.Revisions.Where(r => used.Contains(r.Key) || r.Key == next.Serving)) { [spec.Revision] = spec.Spec },
        };
        _refused = false;
        Work(TimeSpan.Zero);
    });

    /// <summary>Records that changed and are durable already. Interleaves with whatever else goes on.</summary>
    public void Observe(IReadOnlyList<ContainerRecord> changed)
    {
        foreach (var record in changed) _records.Merge(record);
        Work(TimeSpan.Zero);
    }

    public Task Move(IReadOnlyList<ContainerMove> moves) => _turns.Run(async () =>
    {
        var here = _records.Find(moves.Select(m => m.Container)).ToDictionary(c => c.Id, StringComparer.Ordinal);
        var fresh = moves.Where(m => here.ContainsKey(m.Container) && _moves.Ask(m, Region.Now)).ToList();
        if (fresh.Count == 0) return;
        await CoolDown([.. fresh.Where(m => m.AvoidUntil > Region.Now).Select(m => (here[m.Container].Server, m.AvoidUntil!.Value))]);
        foreach (var move in fresh) Region.Watch.AskedToMove(here[move.Container], move.Cause);
        Work(TimeSpan.Zero);
    });

    public Task Stay(IReadOnlyList<string> containers) => _turns.Run(() =>
    {
        var draining = _records.Find(containers).Where(c => c.State >= ContainerState.Draining).Select(c => c.Id).ToHashSet();
        foreach (var id in containers.Where(id => !draining.Contains(id))) _moves.TakeBack(id);
        Work(TimeSpan.Zero);
        return Task.CompletedTask;
    });

    /// <summary>The next look, instead of the one that was planned.</summary>
    private void Work(TimeSpan delay)
    {
        var timer = ++_timer;
        Region.Time.After(delay, () =>
        {
            if (timer == _timer) Region.Run(() => _turns.Run(() => Work(timer)));
        });
    }

    private async Task Work(long timer)
    {
        try
        {
            if (Region.Now - _resyncedAt > ResyncAfter)
            {
                var (records, mark) = (_records, _records.Mark());
                var read = Region.Database.OfApp(App);
                await Write();
                records.Replace(read, mark);
                _resyncedAt = Region.Now;
            }
            if (_share.Wanted is { } wanted) await Step(wanted);
        }
        catch (CallFailedException)
        {
            // The next step repairs it.
        }
        if (timer == _timer) Work(IsSettled ? ResyncAfter : RetryAfter);
    }

    private void Resync()
    {
        _records.Replace(Region.Database.OfApp(App), _records.Mark());
        _resyncedAt = Region.Now;
    }

    private Share BeginRollout(ReplicaSetSpec spec)
    {
        _progress = RolloutProgress.Begin(Region.Now);
        return _share with { Serving = Rollout.ServingBeside(spec.Revision, _records.All, _share.Serving), Stopped = false };
    }

    private async Task CoolDown(IReadOnlyList<(string Server, DateTimeOffset Until)> until)
    {
        if (until.Count == 0) return;
        await Write();
        var next = _share.Cooldowns.Where(c => c.Value > Region.Now).ToDictionary(StringComparer.Ordinal);
        foreach (var (server, end) in until)
            if (next.GetValueOrDefault(server) < end) next[server] = end;
        _share = _share with { Cooldowns = next };
    }

    /// <summary>What is durable of it.</summary>
    private sealed record Share
    {
        public ReplicaSetSpec? Wanted { get; init; }

        public Dictionary<int, AppSpec> Revisions { get; init; } = [];

        public int? Serving { get; init; }

        public bool Stopped { get; init; }

        public Dictionary<string, DateTimeOffset> Cooldowns { get; init; } = [];
    }
}
