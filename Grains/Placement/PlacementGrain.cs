using Hosting.Domain.Eviction;
using Hosting.Domain.Placement;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Hosting.Grains.Placement;

/// <summary>
/// Reentrant, so that many commits are under way at once: a decision reserves its room in the ledger before it waits for
/// its commit, and nothing is decided from what was read before a wait.
/// </summary>
[RegionPinned, Reentrant, GrainType("placement")]
internal sealed class PlacementGrain(DeploymentStore store, PoolStore pool, TimeProvider clock, ILogger<PlacementGrain> log)
    : Grain, IPlacementGrain
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(3);

    private MoveBudget _budget = null!;
    private PlacementLedger _ledger = null!;
    private RegionPolicy _policy = new();
    private long _epoch;
    private bool _fenced;

    private string Region => this.GetPrimaryKeyString();

    /// <summary>Raises the epoch first: whatever an earlier activation commits after that is refused, and what it committed before is read.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _policy = await GrainFactory.GetGrain<IRegionGrain>(Region).GetPolicy();
        _epoch = await pool.RaiseEpoch(Region, cancellationToken);
        _ledger = new PlacementLedger(Region, _policy.Thresholds, StaleAfter);
        await pool.LoadRegion(Region, RestoreServers, _ledger.Restore, cancellationToken);
        // Where something runs, an earlier activation may have let moves begin.
        _budget = new MoveBudget(TimeSpan.FromSeconds(MoveQuestion.HoldSeconds), _ledger.Containers > 0 ? clock.GetUtcNow() : null);
    }

    private void RestoreServers(IReadOnlyList<ServerRecord> servers, IReadOnlyList<VmRecord> vms)
    {
        var offered = vms.ToLookup(vm => vm.Server, StringComparer.Ordinal);
        foreach (var server in servers)
            _ledger.Restore(server, [.. offered[server.Name]]);
    }

    public async Task<PlacementResult> Place(PlacementRequest request) => (await PlaceEach([request]))[0];

    public async Task<IReadOnlyList<PlacementResult>> PlaceEach(IReadOnlyList<PlacementRequest> requests)
    {
        if (requests.Sum(r => (long)r.Count) > IPlacementGrain.MaxReplicas)
            throw new ArgumentException($"A call may ask for {IPlacementGrain.MaxReplicas} replicas at most.", nameof(requests));
        var placed = new List<ContainerRecord>(requests.Count);
        var results = Decide(requests, placed);
        if (placed.Count > 0)
            await Commit(store.Insert(Region, _epoch, placed, CancellationToken.None));
        return results;
    }

    public async Task Release(IReadOnlyList<ContainerRelease> releases)
    {
        if (releases.Count == 0)
            return;
        await Commit(store.End(Region, _epoch, releases, clock.GetUtcNow(), CancellationToken.None));
        foreach (var release in releases)
        {
            _ledger.Release(release.Id);
            _budget.End(release.Id);
        }
    }

    public Task<PlacementExplanation> Explain(PlacementRequest request, int best) =>
        Task.FromResult(_ledger.Explain(request, best, clock.GetUtcNow()));

    public Task Join(ServerRecord server, IReadOnlyList<VmRecord> vms)
    {
        _ledger.Join(server, vms);
        return Task.CompletedTask;
    }

    public Task Leave(string server, string reason)
    {
        _ledger.Leave(server, reason);
        return Task.CompletedTask;
    }

    public Task Configure(ServerRecord server)
    {
        _ledger.Configure(server);
        return Task.CompletedTask;
    }

    public Task ConfigureVm(VmRecord vm)
    {
        _ledger.Configure(vm);
        return Task.CompletedTask;
    }

    public Task SetPolicy(RegionPolicy policy)
    {
        _policy = policy;
        _ledger.SetDefaults(policy.Thresholds);
        return Task.CompletedTask;
    }

    /// <summary>
    /// The budget is kept here because only the ledger knows whether a move can succeed, and when its container has ended: what
    /// has no room elsewhere must not hold back what has.
    /// </summary>
    public Task<IReadOnlyList<MoveAnswer>> BeginMoves(MoveQuestion question)
    {
        var now = clock.GetUtcNow();
        foreach (var candidate in question.Candidates.Where(c => c.Begun && _ledger.Find(c.Container) is not null))
            _budget.Resume(candidate.Container, now);
        var room = _ledger.FindRoom(question.Server, [.. question.Candidates.Where(c => !c.Begun)], now);
        return Task.FromResult<IReadOnlyList<MoveAnswer>>([.. question.Candidates.Select(Answer)]);

        MoveAnswer Answer(MoveCandidate candidate) =>
            candidate.Begun ? MoveAnswer.Begin
            : !room.Contains(candidate.Container) ? MoveAnswer.NoRoom
            : _budget.TryBegin(candidate.Container, _policy, question.Urgent, now) ? MoveAnswer.Begin
            : MoveAnswer.Wait;
    }

    public Task<IReadOnlyList<string>> Report(IReadOnlyList<ServerReport> reports)
    {
        var now = clock.GetUtcNow();
        return Task.FromResult<IReadOnlyList<string>>(
            [.. reports.Where(r => !_ledger.Report(r.Server, r.Report, now)).Select(r => r.Server)]);
    }

    public Task Started(IReadOnlyList<ContainerStart> started)
    {
        foreach (var start in started)
            _ledger.Started(start.Id, start.At);
        return Task.CompletedTask;
    }

    public Task<bool> AnyServer() => Task.FromResult(_ledger.AnyFresh(clock.GetUtcNow()));

    public Task<IReadOnlyList<ServerStatus>> GetServers() => Task.FromResult(_ledger.Describe(clock.GetUtcNow()));

    private PlacementResult[] Decide(IReadOnlyList<PlacementRequest> requests, List<ContainerRecord> placed)
    {
        var now = clock.GetUtcNow();
        var results = new PlacementResult[requests.Count];
        try
        {
            for (var i = 0; i < results.Length; i++)
            {
                var request = requests[i];
                var plan = _ledger.Place(request, _ => ContainerIds.Next(request.App), now);
                results[i] = new PlacementResult { Placed = plan.Placed, Refusal = plan.Refusal };
                placed.AddRange(plan.Placed);
            }
            return results;
        }
        catch
        {
            // A request that cannot be decided takes the whole call with it, and nothing may stay reserved.
            foreach (var record in placed)
                _ledger.Release(record.Id);
            throw;
        }
    }

    /// <summary>
    /// Waits until a change is durable. When it was refused, or nobody knows whether it is durable, this memory is worth
    /// nothing any more: the grain goes, and the next activation reads what is true.
    /// </summary>
    private async Task Commit(Task<bool> commit)
    {
        var accepted = false;
        try
        {
            accepted = await commit;
        }
        finally
        {
            if (!accepted)
                DeactivateOnIdle();
        }
        if (!accepted)
        {
            // Many commits may be under way at once, and all are refused.
            if (!_fenced)
                log.LogWarning("Another silo has taken over the placement of {Region}; commits of this one are refused, and it steps back", Region);
            _fenced = true;
            throw new PlacementFencedException(Region);
        }
    }
}
