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
    [PersistentState("state")] IPersistentState<ReplicaSetDocument> document,
    PoolStore pool,
    EventLog events,
    TimeProvider clock,
    ILogger<ReplicaSetGrain> log) : Grain, IReplicaSetGrain
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ResyncAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RemindAfter = TimeSpan.FromSeconds(2);

    private readonly ReplicaSetContainers _containers = new();
    private readonly HeldContainers _held = new();
    private RoutePublisher _routes = null!;
    private PlacementRefusal? _refusal;
    private IGrainTimer? _timer;
    private DateTimeOffset _resyncedAt;

    private string Region => GrainKeys.RegionOf(this.GetPrimaryKeyString()).ToString();
    private string App => this.GetPrimaryKeyString()[(Region.Length + 1)..];

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _routes = new RoutePublisher(App, Region, clock, log);
        await Resync(cancellationToken);
        await _routes.Publish(_containers.All);
        _timer = this.RegisterGrainTimer(Work, new() { DueTime = RetryAfter, Period = RetryAfter });
    }

    public async Task Apply(ReplicaSetSpec spec)
    {
        var known = document.State.Wanted;
        if (known is not null ? known.Generation >= spec.Generation : spec.Retired && _containers.All.Count == 0)
            return;
        await DurableState.Write(this, document, new ReplicaSetDocument
        {
            Wanted = spec,
            Revisions = new(RevisionsInUse()) { [spec.Revision] = spec.Spec },
        });
        _refusal = null;
        WorkSoon();
    }

    public Task<ReplicaSetStatus?> GetStatus() =>
        Task.FromResult(document.State.Wanted is { } wanted ? _held.AddTo(_containers.Describe(wanted, _refusal), clock.GetUtcNow()) : null);

    public Task<IReadOnlyList<ContainerRecord>> GetContainers() =>
        Task.FromResult<IReadOnlyList<ContainerRecord>>([.. _containers.All.OrderBy(c => c.CreatedAt)]);

    public Task<AppSpec?> GetRevision(int revision) => Task.FromResult(document.State.Revisions.GetValueOrDefault(revision));

    public async Task Observe(IReadOnlyList<ContainerRecord> changed)
    {
        foreach (var record in changed)
            _containers.Merge(record);
        WorkSoon();
        await _routes.Publish(_containers.All);
    }

    public Task<RouteTable?> Watch(IRouteObserver observer, RouteVersion? known) => Task.FromResult(_routes.Watch(observer, known));

    public Task<RouteTable> GetTable() => Task.FromResult(_routes.Table);

    public Task Move(IReadOnlyList<ContainerMove> moves) => Task.CompletedTask;

    public Task Stay(IReadOnlyList<string> containers) => Task.CompletedTask;

    public Task Hold(IReadOnlyList<ContainerMove> held)
    {
        _held.Note(held, clock.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task Reconcile()
    {
        if (document.State.Wanted is null)
            DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private void WorkSoon() => _timer?.Change(TimeSpan.Zero, RetryAfter);

    /// <summary>One step at a time; a step that changed something is followed by the next at once.</summary>
    private async Task Work(CancellationToken cancellationToken)
    {
        if (document.State.Wanted is null)
            return;
        try
        {
            if (clock.GetUtcNow() - _resyncedAt > ResyncAfter)
                await Resync(cancellationToken);
            await Step(document.State.Wanted);
        }
        catch (Exception failure)
        {
            log.LogWarning("The replicas of {App} in {Region} could not be brought to what is wanted; tried again in {Seconds} s: {Reason}",
                App, Region, RetryAfter.TotalSeconds, failure.Message);
        }
    }

    private async Task Step(ReplicaSetSpec wanted)
    {
        var plan = RolloutPlanner.Plan(wanted, _containers.All);
        _refusal = plan.Place > 0 ? _refusal : null;
        if (plan.Place > 0)
            await Place(wanted, plan.Place);
        if (plan.Drain.Count > 0)
            await Drain(plan.Drain);
        await FinishDrains();
        await Remind();
        if (wanted.Retired && _containers.All.Count == 0)
            await Forget();
    }

    private async Task Place(ReplicaSetSpec wanted, int count)
    {
        var result = await GrainFactory.GetGrain<IPlacementGrain>(Region).Place(new PlacementRequest
        {
            App = App,
            Revision = wanted.Revision,
            Demand = new Demand(wanted.Spec.CpuMillis, wanted.Spec.MemoryMiB),
            Count = count,
            Spread = wanted.Spec.Spread,
            AllOrNothing = wanted.Spec.Placement == PlacementMode.AllOrNothing,
            Constraints = wanted.Spec.Constraints,
        });
        foreach (var record in result.Placed)
        {
            _containers.Merge(record);
            Log("placed", record.Id, $"{record.Id} was placed on {record.Server}/{record.Vm}, revision {record.Revision}");
        }
        if (result.Refusal is { } refusal && _refusal is null)
            Log("refused", null, $"{count - result.Placed.Count} replicas of {App} could not be placed: {refusal.Message}");
        _refusal = result.Refusal;
    }

    private Task Run(IEnumerable<ContainerRecord> placed) =>
        ForEachVm(placed, (vm, records) => document.State.Revisions.TryGetValue(records[0].Revision, out var spec)
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
            Log("draining", record.Id, $"{record.Id} on {record.Server}/{record.Vm} gets no new requests and is being stopped");
    }

    // Also what an earlier activation drained and did not come to stop. Stopping twice is harmless.
    private Task FinishDrains() =>
        ForEachVm(_containers.Due(ContainerState.Draining, clock.GetUtcNow(), RemindAfter),
            (vm, records) => vm.Stop([.. records.Select(r => r.Id)]));

    // What was just placed, and again what a VM has not taken up: it may have missed the hint.
    private Task Remind() => Run(_containers.Due(ContainerState.Placed, clock.GetUtcNow(), RemindAfter));

    private async Task Forget()
    {
        await DurableState.Clear(this, document);
        document.State = new ReplicaSetDocument();
        DeactivateOnIdle();
    }

    private async Task Resync(CancellationToken cancellationToken)
    {
        var started = _containers.Mark();
        var live = await pool.GetContainers(new ContainerFilter { Region = Region, App = App, Limit = int.MaxValue }, cancellationToken);
        _containers.Replace(live, started);
        _resyncedAt = clock.GetUtcNow();
    }

    private async Task ForEachVm(
        IEnumerable<ContainerRecord> records, Func<IVmGrain, List<ContainerRecord>, Task> act, bool byRevision = false)
    {
        var groups = records.GroupBy(r => (r.Server, r.Vm, Revision: byRevision ? r.Revision : 0));
        await Task.WhenAll(groups.Select(g => act(GrainFactory.GetGrain<IVmGrain>(GrainKeys.Vm(Region, g.Key.Server, g.Key.Vm)), [.. g])));
    }

    private IEnumerable<KeyValuePair<int, AppSpec>> RevisionsInUse()
    {
        var used = _containers.All.Select(c => c.Revision).ToHashSet();
        return document.State.Revisions.Where(r => used.Contains(r.Key));
    }

    private void Log(string kind, string? container, string message)
    {
        log.LogDebug("{Message}", message);
        events.Write(new PlatformEvent { At = clock.GetUtcNow(), Region = Region, App = App, Container = container, Kind = kind, Message = message });
    }
}
