using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Vms;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Apps;

[RegionPinned, GrainType("replica-set")]
internal sealed class ReplicaSetGrain(
    [PersistentState("state", RegionDocuments.Name)] IPersistentState<ReplicaSetDocument> document,
    PoolStore pool,
    EventLog events,
    TimeProvider clock,
    ILogger<ReplicaSetGrain> log) : Grain, IReplicaSetGrain
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AskGatewaysAfter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ResyncAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RemindAfter = TimeSpan.FromSeconds(2);

    private readonly Durable<ReplicaSetDocument> _share = new(document);
    private readonly ReplicaSetContainers _containers = new();
    private readonly HeldContainers _held = new();
    private readonly ContainerMoves _moves = new();
    private readonly RefusedRoom _room = new();
    private RoutePublisher _routes = null!;
    private DrainWatch _drains = null!;
    private RolloutProgress _progress = null!;
    private PlacementRefusal? _refusal;
    private string? _stuck;
    private StepTimer? _steps;
    private DateTimeOffset _resyncedAt;

    private string Region => GrainKeys.RegionOf(this.GetPrimaryKeyString()).ToString();
    private string App => this.GetPrimaryKeyString()[(Region.Length + 1)..];
    private ReplicaSetDocument Share => _share.Value;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _routes = new RoutePublisher(App, Region, clock, log, first: Share.Wanted is null);
        _drains = new DrainWatch(_routes, clock);
        _progress = RolloutProgress.Begin(clock.GetUtcNow());
        await Resync(cancellationToken);
        _steps = new StepTimer(this.RegisterGrainTimer(Work, new() { DueTime = RetryAfter, Period = RetryAfter }), clock, RetryAfter);
    }

    public async Task Apply(ReplicaSetSpec spec)
    {
        var known = Share.Wanted;
        if (known is not null ? known.Generation >= spec.Generation : spec.Retired && _containers.All.Count == 0)
            return;
        var next = known?.Revision == spec.Revision ? Share : BeginRollout(spec);
        await _share.Write(this, next with
        {
            Wanted = spec,
            Revisions = new(RevisionsInUse(next.Serving)) { [spec.Revision] = spec.Spec },
        });
        _refusal = null;
        WorkSoon();
    }

    public Task<ReplicaSetStatus?> GetStatus() => Task.FromResult(Share.Wanted is { } wanted
        ? _held.AddTo(_containers.Describe(wanted, _refusal) with
        {
            Stopped = Share.Stopped,
            Serving = Share.Stopped is null ? null : Share.Serving,
            Moving = _moves.Count,
            Stuck = _stuck,
        }, clock.GetUtcNow())
        : null);

    public Task<IReadOnlyList<ContainerRecord>> GetContainers() =>
        Task.FromResult<IReadOnlyList<ContainerRecord>>([.. _containers.All.OrderBy(c => c.CreatedAt)]);

    public Task<AppSpec?> GetRevision(int revision) => Task.FromResult(Share.Revisions.GetValueOrDefault(revision));

    public async Task Observe(IReadOnlyList<ContainerRecord> changed)
    {
        foreach (var record in changed)
            _containers.Merge(record);
        WorkSoon();
        await _routes.Publish(_containers.All);
    }

    public Task<RouteTable?> Watch(IRouteObserver observer, RouteVersion? known) => Task.FromResult(_routes.Watch(observer, known));

    public Task<RouteTable> GetTable() => Task.FromResult(_routes.Table);

    public async Task Move(IReadOnlyList<ContainerMove> moves)
    {
        var now = clock.GetUtcNow();
        var here = _containers.Find(moves.Select(m => m.Container)).ToDictionary(c => c.Id, StringComparer.Ordinal);
        var fresh = moves.Where(m => here.ContainsKey(m.Container) && _moves.Ask(m, now)).ToList();
        if (fresh.Count == 0)
            return;
        await CoolDown([.. fresh.Where(m => m.AvoidUntil > now).Select(m => KeyValuePair.Create(here[m.Container].Server, m.AvoidUntil!.Value))], now);
        foreach (var move in fresh)
            Log("moving", move.Container, $"{move.Container} has to leave {here[move.Container].Server}: {move.Reason}");
        WorkSoon();
    }

    public Task Stay(IReadOnlyList<string> containers)
    {
        var draining = _containers.Find(containers).Where(c => c.State >= ContainerState.Draining).Select(c => c.Id).ToHashSet();
        foreach (var id in containers.Where(id => !draining.Contains(id) && _moves.TakeBack(id) is not null))
            Log("staying", id, $"{id} may stay where it is");
        WorkSoon();
        return Task.CompletedTask;
    }

    public Task Hold(IReadOnlyList<ContainerMove> held)
    {
        _held.Note(held, clock.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task Reconcile()
    {
        if (Share.Wanted is null)
            DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private void WorkSoon() => _steps?.Within(TimeSpan.Zero);

    /// <summary>One step at a time; a step that changed something is followed by the next at once.</summary>
    private async Task Work(CancellationToken cancellationToken)
    {
        _steps?.Begin();
        if (Share.Wanted is null)
            return;
        try
        {
            if (clock.GetUtcNow() - _resyncedAt > ResyncAfter)
                await Resync(cancellationToken);
            await Step(Share.Wanted);
        }
        catch (Exception failure)
        {
            log.LogWarning("The replicas of {App} in {Region} could not be brought to what is wanted; tried again in {Seconds} s: {Reason}",
                App, Region, RetryAfter.TotalSeconds, failure.Message);
        }
    }

    private async Task Step(ReplicaSetSpec wanted)
    {
        _moves.Prune(_containers.All.Select(c => c.Id), clock.GetUtcNow());
        await FollowRollout(wanted);
        var plan = RolloutPlanner.Plan(new RolloutSnapshot
        {
            Wanted = wanted,
            Containers = _containers.All,
            Now = clock.GetUtcNow(),
            Moves = _moves.Causes,
            Serving = Share.Stopped is null ? null : Share.Serving,
        });
        if (plan.Place > 0)
            await Place(plan);
        else
            NoteRoom();
        if (plan.Drain.Count > 0)
            await Drain(plan.Drain);
        if (plan.End.Count > 0)
            await GiveUp(plan.End);
        await FinishDrains();
        await Remind();
        if (wanted.Retired && _containers.All.Count == 0)
            await Forget();
    }

    /// <summary>A new revision starts anew: with the revision that serves now as the one to keep, should the rollout fail.</summary>
    private ReplicaSetDocument BeginRollout(ReplicaSetSpec spec)
    {
        _progress = RolloutProgress.Begin(clock.GetUtcNow());
        return Share with { Serving = Rollout.ServingBeside(spec.Revision, _containers.All, Share.Serving), Stopped = null };
    }

    /// <summary>Notes durably that a rollout is complete, or that it makes no progress and is stopped.</summary>
    private async Task FollowRollout(ReplicaSetSpec wanted)
    {
        if (Share.Serving is not { } serving || Share.Stopped is not null || wanted.Retired)
            return;
        var containers = _containers.All;
        if (Rollout.IsComplete(wanted, containers))
        {
            await _share.Write(this, Share with { Serving = null });
            return;
        }
        var healthy = containers.Count(c => c.GetsTraffic && c.Revision == wanted.Revision);
        _progress = _progress.Look(healthy, Rollout.WaitsForRoom(wanted, containers, _refusal is not null), clock.GetUtcNow());
        if (_progress.Stalled < TimeSpan.FromSeconds((wanted.Spec.Rollout ?? new RolloutSpec()).ProgressDeadlineSeconds))
            return;
        var why = Rollout.WhyStopped(wanted, containers, serving);
        await _share.Write(this, Share with { Stopped = why });
        Log("rolloutStopped", null, $"{App} in {Region}: {why}");
    }

    /// <summary>Away from the servers that are being left. Where only those would do, a drained VM's neighbour is better than nothing.</summary>
    private async Task Place(RolloutPlan plan)
    {
        var now = clock.GetUtcNow();
        var closed = Share.Cooldowns.Where(c => c.Value > now).Select(c => c.Key).ToHashSet(StringComparer.Ordinal);
        var leaving = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in _containers.All)
        {
            if (_moves.Find(container.Id) is { } move)
                (move.Cause == MoveCause.Pressure ? closed : leaving).Add(container.Server);
        }
        var first = await Place(plan.Revision, plan.Place, [.. closed.Union(leaving)], plan.ForMoves == 0);
        var (placed, refusal) = (first.Placed, first.Refusal);
        if (refusal is not null && !leaving.IsSubsetOf(closed))
        {
            var second = await Place(plan.Revision, plan.Place - placed.Count, [.. closed], plan.ForMoves == 0);
            (placed, refusal) = ([.. placed, .. second.Placed], second.Refusal);
        }
        _moves.Replace(placed);
        if (refusal is null)
            NoteRoom();
        else
            NoteRefusal(plan, plan.Place - placed.Count, refusal);
    }

    private async Task<PlacementResult> Place(int revision, int count, IReadOnlyList<string> avoid, bool allOrNothing)
    {
        var spec = Share.Revisions[revision];
        var result = await AskForRoom(new PlacementRequest
        {
            App = App,
            Revision = revision,
            Demand = new Demand(spec.CpuMillis, spec.MemoryMiB),
            Count = count,
            Spread = spec.Spread,
            AllOrNothing = allOrNothing && spec.Placement == PlacementMode.AllOrNothing,
            Constraints = spec.Constraints,
            Avoid = avoid,
        });
        foreach (var record in result.Placed)
        {
            _containers.Merge(record);
            Log("placed", record.Id, $"{record.Id} was placed on {record.Server}/{record.Vm}, revision {record.Revision}");
        }
        return result;
    }

    /// <summary>What failed may have been placed all the same, and its answer lost or late: before more is placed, the database is asked what is there.</summary>
    private async Task<PlacementResult> AskForRoom(PlacementRequest request)
    {
        try
        {
            return await GrainFactory.GetGrain<IPlacementGrain>(Region).Place(request);
        }
        catch
        {
            _resyncedAt = default;
            throw;
        }
    }

    private void NoteRoom()
    {
        (_refusal, _stuck) = (null, null);
        _room.Ended();
    }

    /// <summary>What lacks room is either a wanted replica, or only another place for one that has to leave and stays meanwhile.</summary>
    private void NoteRefusal(RolloutPlan plan, int unplaced, PlacementRefusal refusal)
    {
        var before = (_refusal, _stuck);
        (_refusal, _stuck) = (null, null);
        if (_room.Refused(clock.GetUtcNow()) is { } pause)
            _steps?.Within(pause);
        if (unplaced <= plan.ForMoves && _moves.Waiting() is { } move)
            _stuck = $"{move.Container} has to leave its server ({move.Reason}) and stays, because nothing else takes it: {refusal.Message}";
        else
            _refusal = refusal;
        if (_stuck is not null && before._stuck is null)
            Log("stuck", null, _stuck);
        if (_refusal is not null && before._refusal is null)
            Log("refused", null, $"{unplaced} replicas of {App} could not be placed: {refusal.Message}");
    }

    private Task Run(IEnumerable<ContainerRecord> placed) =>
        ForEachVm(placed, (vm, records) => Share.Revisions.TryGetValue(records[0].Revision, out var spec)
            ? vm.Run(records, spec)
            : Task.CompletedTask, byRevision: true);

    /// <summary>Durable first, then out of every gateway's routes, and only then stopped.</summary>
    private async Task Drain(IReadOnlyList<string> ids)
    {
        var drained = _containers.Find(ids);
        await ForEachVm(drained, (vm, records) => vm.Drain([.. records.Select(r => r.Id)]));
        foreach (var record in drained)
            _containers.Merge(record with { State = ContainerState.Draining });
        await _routes.Publish(_containers.All);
        foreach (var record in drained)
            LogDrain(record);
    }

    private void LogDrain(ContainerRecord record)
    {
        if (_moves.Find(record.Id) is { } move)
            Log("moved", record.Id, $"moved {record.Id} from {record.Server}{(_moves.ReplacementOf(record.Id) is { } other ? $" to {other.Server} as {other.Id}" : "")}: {move.Reason}");
        else
            Log("draining", record.Id, $"{record.Id} on {record.Server}/{record.Vm} gets no new requests and is being stopped");
    }

    /// <summary>Ends the records of lost containers, whose agent cannot say so. Should it come back, it is told to stop them.</summary>
    private async Task GiveUp(IReadOnlyList<string> ids)
    {
        var lost = _containers.Find(ids).ConvertAll(c => c with { State = ContainerState.Failed, Healthy = false, Reason = _moves.Find(c.Id)?.Reason ?? "lost" });
        await GrainFactory.GetGrain<IPlacementGrain>(Region).Release([.. lost.Select(c => new ContainerRelease(c.Id, c.State, c.Reason))]);
        foreach (var record in lost)
        {
            Log("lost", record.Id, $"gave {record.Id} on {record.Server} up: {record.Reason}"
                + (_moves.ReplacementOf(record.Id) is { } other ? $"; {other.Id} on {other.Server} takes its place" : ""));
            _containers.Merge(record);
        }
        await _routes.Publish(_containers.All);
        await ForEachVm(lost, (vm, records) => vm.Forget([.. records.Select(r => r.Id)]));
    }

    /// <summary>
    /// Stops what is drained once nothing is in flight for it or its grace has passed; also what an earlier activation drained
    /// and did not come to stop. Stopping twice is harmless.
    /// </summary>
    private async Task FinishDrains()
    {
        _drains.Watch([.. _containers.All.Where(c => c.State == ContainerState.Draining)]);
        AskGateways();
        await ForEachVm(
            _containers.Due(ContainerState.Draining, clock.GetUtcNow(), RemindAfter, c => _drains.IsFinished(c, GraceOf(c))),
            (vm, records) => vm.Stop([.. records.Select(r => r.Id)]));
    }

    // Nobody waits for the answer: it starts the next step, and until then the grain does what else it has to do.
    private void AskGateways() => Ask().Ignore();

    private async Task Ask()
    {
        if (await _drains.Ask() is { } someAreQuiet)
            _steps?.Within(someAreQuiet ? TimeSpan.Zero : AskGatewaysAfter);
    }

    private TimeSpan GraceOf(ContainerRecord container) =>
        TimeSpan.FromSeconds(Share.Revisions.GetValueOrDefault(container.Revision)?.StopGraceSeconds ?? 0);

    // What was just placed, and again what a VM has not taken up: it may have missed the hint.
    private Task Remind() => Run(_containers.Due(ContainerState.Placed, clock.GetUtcNow(), RemindAfter));

    private async Task Forget()
    {
        await _share.Clear(this);
        DeactivateOnIdle();
    }

    private async Task Resync(CancellationToken cancellationToken)
    {
        var started = _containers.Mark();
        var live = await pool.GetContainers(new ContainerFilter { Region = Region, App = App, Limit = int.MaxValue }, cancellationToken);
        _containers.Replace(live, started);
        _resyncedAt = clock.GetUtcNow();
        // What happened may have been said to nobody: a word to a silo that is lost, or to an activation that was, is lost too.
        await _routes.Publish(_containers.All);
    }

    /// <summary>Writes cool-downs that are longer than those known; what is over goes with them.</summary>
    private async Task CoolDown(List<KeyValuePair<string, DateTimeOffset>> until, DateTimeOffset now)
    {
        var next = Share.Cooldowns.Where(c => c.Value > now).ToDictionary(StringComparer.Ordinal);
        var longer = until.Where(c => next.GetValueOrDefault(c.Key) < c.Value).ToList();
        foreach (var (server, end) in longer)
            next[server] = end;
        if (longer.Count > 0)
            await _share.Write(this, Share with { Cooldowns = next });
    }

    private async Task ForEachVm(
        IEnumerable<ContainerRecord> records, Func<IVmGrain, List<ContainerRecord>, Task> act, bool byRevision = false)
    {
        var groups = records.GroupBy(r => (r.Server, r.Vm, Revision: byRevision ? r.Revision : 0));
        await Task.WhenAll(groups.Select(g => act(GrainFactory.GetGrain<IVmGrain>(GrainKeys.Vm(Region, g.Key.Server, g.Key.Vm)), [.. g])));
    }

    private IEnumerable<KeyValuePair<int, AppSpec>> RevisionsInUse(int? serving)
    {
        var used = _containers.All.Select(c => c.Revision).ToHashSet();
        return Share.Revisions.Where(r => used.Contains(r.Key) || r.Key == serving);
    }

    private void Log(string kind, string? container, string message)
    {
        log.LogDebug("{Message}", message);
        events.Write(new PlatformEvent { At = clock.GetUtcNow(), Region = Region, App = App, Container = container, Kind = kind, Message = message });
    }
}
