using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <content>One step: the real plan, carried out in the grain's order.</content>
internal sealed partial class ReplicaSetPart
{
    private static readonly TimeSpan RemindAfter = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, (DateTimeOffset Since, TimeSpan Quiet)> _drainingSince = new(StringComparer.Ordinal);

    private async Task Step(ReplicaSetSpec wanted)
    {
        _moves.Prune(_records.All.Select(c => c.Id), Region.Now);
        await FollowRollout(wanted);
        var all = _records.All;
        var plan = RolloutPlanner.Plan(new RolloutSnapshot
        {
            Wanted = wanted,
            Containers = all,
            Now = Region.Now,
            Moves = _moves.Causes,
            Serving = StoppedAt,
        });
        Region.Watch.Floor.Planned(wanted, all, _moves.Causes, plan);
        if (plan.Place > 0) await Place(plan);
        else _refused = false;
        if (plan.Drain.Count > 0) await Drain(plan.Drain);
        if (plan.End.Count > 0) await GiveUp(plan.End);
        await FinishDrains();
        await Run(_records.Due(ContainerState.Placed, Region.Now, RemindAfter));
    }

    private async Task FollowRollout(ReplicaSetSpec wanted)
    {
        if (_share.Serving is null || _share.Stopped || wanted.Retired) return;
        var containers = _records.All;
        if (Rollout.IsComplete(wanted, containers))
        {
            await Write();
            _share = _share with { Serving = null };
            return;
        }
        var healthy = containers.Count(c => c.GetsTraffic && c.Revision == wanted.Revision);
        _progress = _progress.Look(healthy, Rollout.WaitsForRoom(wanted, containers, _refused), Region.Now);
        if (_progress.Stalled < TimeSpan.FromSeconds((wanted.Spec.Rollout ?? new RolloutSpec()).ProgressDeadlineSeconds)) return;
        await Write();
        _share = _share with { Stopped = true };
        Region.Watch.Tally.RolloutsStopped++;
    }

    private async Task Place(RolloutPlan plan)
    {
        var closed = _share.Cooldowns.Where(c => c.Value > Region.Now).Select(c => c.Key).ToHashSet(StringComparer.Ordinal);
        var leaving = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in _records.All)
            if (_moves.Find(container.Id) is { } move) (move.Cause == MoveCause.Pressure ? closed : leaving).Add(container.Server);
        var first = await Place(plan.Revision, plan.Place, [.. closed.Union(leaving)]);
        var (unplaced, refused) = (plan.Place - first.Placed.Count, first.Refusal is not null);
        if (refused && !leaving.IsSubsetOf(closed))
        {
            var second = await Place(plan.Revision, unplaced, [.. closed]);
            (unplaced, refused) = (unplaced - second.Placed.Count, second.Refusal is not null);
        }
        // What only waits for another place for one that has to leave is not refused.
        _refused = refused && (unplaced > plan.ForMoves || _moves.Count == 0);
        if (refused) Region.Watch.Tally.Refusals++;
    }

    private async Task<PlacementResult> Place(int revision, int count, IReadOnlyList<string> avoid)
    {
        var spec = _share.Revisions[revision];
        var result = await Call(() => Region.Placement.Place(new PlacementRequest
        {
            App = App,
            Revision = revision,
            Demand = new Demand(spec.CpuMillis, spec.MemoryMiB),
            Count = count,
            Spread = spec.Spread,
            Avoid = avoid,
        }));
        foreach (var record in result.Placed) _records.Merge(record);
        return result;
    }

    private Task Run(IEnumerable<ContainerRecord> placed) => ForEachVm(placed, (vm, records) =>
        _share.Revisions.TryGetValue(records[0].Revision, out var spec) ? vm.Run(records, spec) : Task.CompletedTask, byRevision: true);

    private async Task Drain(IReadOnlyList<string> ids)
    {
        var drained = _records.Find(ids);
        await ForEachVm(drained, (vm, records) => vm.Drain([.. records.Select(r => r.Id)]));
        foreach (var record in drained) _records.Merge(record with { State = ContainerState.Draining });
    }

    private async Task GiveUp(IReadOnlyList<string> ids)
    {
        var lost = _records.Find(ids).ConvertAll(c => c with { State = ContainerState.Failed, Healthy = false, Reason = "lost" });
        await Call(() => Region.Placement.Release([.. lost.Select(c => new ContainerRelease(c.Id, c.State, c.Reason))]));
        foreach (var record in lost) _records.Merge(record);
        await ForEachVm(lost, (vm, records) => vm.Forget([.. records.Select(r => r.Id)]));
    }

    /// <summary>Gateways answer when nothing is in flight any more, mostly soon; the rest waits for its grace.</summary>
    private async Task FinishDrains()
    {
        var draining = _records.All.Where(c => c.State == ContainerState.Draining).ToList();
        foreach (var gone in _drainingSince.Keys.Except(draining.Select(c => c.Id)).ToList()) _drainingSince.Remove(gone);
        foreach (var container in draining) _drainingSince.TryAdd(container.Id, (Region.Now, Quiet(container)));
        await ForEachVm(
            _records.Due(ContainerState.Draining, Region.Now, RemindAfter, c =>
                _drainingSince.TryGetValue(c.Id, out var drain) && Region.Now - drain.Since >= drain.Quiet),
            (vm, records) => vm.Stop([.. records.Select(r => r.Id)]));
    }

    private TimeSpan Quiet(ContainerRecord container)
    {
        var grace = _share.Revisions.GetValueOrDefault(container.Revision)?.StopGraceSeconds ?? 0;
        return TimeSpan.FromSeconds(Math.Min(grace, Region.Random.NextDouble() < 0.9 ? 0.2 : 30));
    }

    private async Task ForEachVm(IEnumerable<ContainerRecord> records, Func<VmPart, List<ContainerRecord>, Task> act, bool byRevision = false)
    {
        var groups = records.GroupBy(r => (r.Server, r.Vm, Revision: byRevision ? r.Revision : 0)).Select(g => (g.Key, Records: g.ToList())).ToList();
        await Task.WhenAll(groups.Select(g => Call(() => act(Region.Vm(g.Key.Server, g.Key.Vm), g.Records))).ToList());
    }
}
