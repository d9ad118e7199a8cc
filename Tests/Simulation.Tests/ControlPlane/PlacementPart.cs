using Hosting.Domain.Eviction;
using Hosting.Domain.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays the placement grain around the real ledger and the real budget. Reentrant: decisions go on while commits are under way.</summary>
internal sealed class PlacementPart
{
    private readonly Region _region;
    private Deciding _newest = null!;
    private Deciding? _older;

    public PlacementPart(Region region)
    {
        _region = region;
        Activate();
    }

    private PlacementLedger Ledger => _newest.Ledger;

    private MoveBudget Budget => _newest.Budget;

    /// <summary>A new activation: what an earlier one decided and did not commit is refused from now on.</summary>
    public void Activate()
    {
        var ledger = new PlacementLedger(Region.Name, _region.Policy.Thresholds);
        foreach (var server in _region.Database.Servers.Values) ledger.Restore(server, _region.Database.Vms[server.Name]);
        ledger.Restore(_region.Database.Live);
        DateTimeOffset? after = _region.Database.Live.Count > 0 ? _region.Now : null;
        _newest = new Deciding(_region.Database.RaiseEpoch(), ledger, new MoveBudget(TimeSpan.FromSeconds(MoveQuestion.HoldSeconds), after));
        _region.Watch.PlacementRestarted();
    }

    /// <summary>A new activation beside the one before, which does not know of it and is still reached by some, until its first commit.</summary>
    public void ActivateTwice()
    {
        _older = _newest;
        Activate();
    }

    /// <summary>The older of two activations is over.</summary>
    public void EndOlder() => _older = null;

    public async Task<PlacementResult> Place(PlacementRequest request)
    {
        var by = Reached();
        var plan = by.Ledger.Place(request, _ => _region.NextId(request.App), _region.Now);
        if (by == _newest)
            foreach (var record in plan.Placed) _region.Watch.Placed(record);
        if (plan.Placed.Count > 0) await Commit(by, epoch => _region.Database.Insert(epoch, plan.Placed));
        return new PlacementResult { Placed = plan.Placed, Refusal = plan.Refusal };
    }

    public async Task Release(IReadOnlyList<ContainerRelease> releases)
    {
        if (releases.Count == 0) return;
        var by = Reached();
        await Commit(by, epoch => _region.Database.End(epoch, releases.Select(r => r.Id)));
        foreach (var release in releases)
        {
            by.Ledger.Release(release.Id);
            by.Budget.End(release.Id);
        }
    }

    public IReadOnlyList<MoveAnswer> BeginMoves(MoveQuestion question)
    {
        var now = _region.Now;
        foreach (var candidate in question.Candidates.Where(c => c.Begun && Ledger.Find(c.Container) is not null))
            Budget.Resume(candidate.Container, now);
        var room = Ledger.FindRoom(question.Server, [.. question.Candidates.Where(c => !c.Begun)], now);
        var answers = question.Candidates.Select(Answer).ToList();
        foreach (var (candidate, answer) in question.Candidates.Zip(answers))
            if (answer == MoveAnswer.Begin) _region.Watch.Granted(candidate.Container, question.Urgent || candidate.Begun);
        return answers;

        MoveAnswer Answer(MoveCandidate candidate) =>
            candidate.Begun ? MoveAnswer.Begin
            : !room.Contains(candidate.Container) ? MoveAnswer.NoRoom
            : Budget.TryBegin(candidate.Container, _region.Policy, question.Urgent, now) ? MoveAnswer.Begin
            : MoveAnswer.Wait;
    }

    public void Join(ServerRecord server, IReadOnlyList<VmRecord> vms) => Ledger.Join(server, vms);

    public void Leave(string server, string reason) => Ledger.Leave(server, reason);

    public void Configure(ServerRecord server) => Ledger.Configure(server);

    public void Configure(VmRecord vm) => Ledger.Configure(vm);

    public bool Report(string server, UtilizationReport report) => Ledger.Report(server, report, _region.Now);

    public void Started(IReadOnlyList<ContainerStart> started)
    {
        foreach (var start in started) Ledger.Started(start.Id, start.At);
    }

    public PlacementExplanation Explain(PlacementRequest request, int best) => Ledger.Explain(request, best, _region.Now);

    private Deciding Reached() => _older is { } older && _region.Chance(0.5) ? older : _newest;

    /// <summary>A commit that was refused, or of which nobody knows what became, ends the activation.</summary>
    private async Task Commit(Deciding by, Func<long, bool> commit)
    {
        await _region.Write();
        var unheard = _region.Chance(_region.CommitLoss);
        var accepted = (!unheard || _region.Chance(0.5)) && commit(by.Epoch);
        if (accepted && !unheard) return;
        if (by == _newest) Activate();
        else if (by == _older) _older = null;
        throw new CallFailedException("the commit was refused or not answered");
    }

    /// <summary>What one activation has in memory.</summary>
    private sealed record Deciding(long Epoch, PlacementLedger Ledger, MoveBudget Budget);
}
