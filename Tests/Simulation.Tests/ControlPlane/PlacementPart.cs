using Hosting.Domain.Eviction;
using Hosting.Domain.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays the placement grain around the real ledger and the real budget. Reentrant: decisions go on while commits are under way.</summary>
internal sealed class PlacementPart
{
    private readonly Region _region;
    private PlacementLedger _ledger = null!;
    private MoveBudget _budget = null!;
    private long _epoch;

    public PlacementPart(Region region)
    {
        _region = region;
        Activate();
    }

    /// <summary>A new activation: what an earlier one decided and did not commit is refused from now on.</summary>
    public void Activate()
    {
        _epoch = _region.Database.RaiseEpoch();
        _budget = new MoveBudget(TimeSpan.FromSeconds(MoveQuestion.HoldSeconds));
        _ledger = new PlacementLedger(Region.Name, _region.Policy.Thresholds);
        foreach (var server in _region.Database.Servers.Values) _ledger.Restore(server, _region.Database.Vms[server.Name]);
        _ledger.Restore(_region.Database.Live);
        _region.Watch.PlacementRestarted();
    }

    public async Task<PlacementResult> Place(PlacementRequest request)
    {
        var plan = _ledger.Place(request, _ => _region.NextId(request.App), _region.Now);
        foreach (var record in plan.Placed) _region.Watch.Placed(record);
        if (plan.Placed.Count > 0) await Commit(epoch => _region.Database.Insert(epoch, plan.Placed));
        return new PlacementResult { Placed = plan.Placed, Refusal = plan.Refusal };
    }

    public async Task Release(IReadOnlyList<ContainerRelease> releases)
    {
        if (releases.Count == 0) return;
        var (ledger, budget) = (_ledger, _budget);
        await Commit(epoch => _region.Database.End(epoch, releases.Select(r => r.Id)));
        foreach (var release in releases)
        {
            ledger.Release(release.Id);
            budget.End(release.Id);
        }
    }

    public IReadOnlyList<MoveAnswer> BeginMoves(MoveQuestion question)
    {
        var now = _region.Now;
        foreach (var candidate in question.Candidates.Where(c => c.Begun && _ledger.Find(c.Container) is not null))
            _budget.Resume(candidate.Container, now);
        var room = _ledger.FindRoom(question.Server, [.. question.Candidates.Where(c => !c.Begun)], now);
        var answers = question.Candidates.Select(Answer).ToList();
        foreach (var (candidate, answer) in question.Candidates.Zip(answers))
            if (answer == MoveAnswer.Begin) _region.Watch.Budget.Granted(candidate.Container, question.Urgent || candidate.Begun);
        return answers;

        MoveAnswer Answer(MoveCandidate candidate) =>
            candidate.Begun ? MoveAnswer.Begin
            : !room.Contains(candidate.Container) ? MoveAnswer.NoRoom
            : _budget.TryBegin(candidate.Container, _region.Policy, question.Urgent, now) ? MoveAnswer.Begin
            : MoveAnswer.Wait;
    }

    public void Join(ServerRecord server, IReadOnlyList<VmRecord> vms) => _ledger.Join(server, vms);

    public void Leave(string server, string reason) => _ledger.Leave(server, reason);

    public void Configure(ServerRecord server) => _ledger.Configure(server);

    public void Configure(VmRecord vm) => _ledger.Configure(vm);

    public bool Report(string server, UtilizationReport report) => _ledger.Report(server, report, _region.Now);

    public void Started(IReadOnlyList<ContainerStart> started)
    {
        foreach (var start in started) _ledger.Started(start.Id, start.At);
    }

    public PlacementExplanation Explain(PlacementRequest request, int best) => _ledger.Explain(request, best, _region.Now);

    /// <summary>A commit that was refused, or of which nobody knows what became, ends the activation.</summary>
    private async Task Commit(Func<long, bool> commit)
    {
        var epoch = _epoch;
        await _region.Write();
        var unheard = _region.Chance(_region.CommitLoss);
        var accepted = (!unheard || _region.Chance(0.5)) && commit(epoch);
        if (accepted && !unheard) return;
        if (epoch == _epoch) Activate();
        throw new CallFailedException("the commit was refused or not answered");
    }
}
