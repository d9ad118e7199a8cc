using Hosting.Domain.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Placement;

/// <summary>Plays a history on a ledger and on the model, and holds every answer of the ledger against the model.</summary>
internal sealed class Replay
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(3);

    private readonly PlacementLedger _ledger = new(History.Region, Thresholds.Default, StaleAfter);
    private readonly RegionModel _model = new(Thresholds.Default, StaleAfter) { Now = History.Start };
    private readonly List<string> _answers = [];
    private int _ids;

    /// <summary>Everything the ledger chose and refused, in order.</summary>
    public IReadOnlyList<string> Answers => _answers;

    public static Replay Of(IEnumerable<Event> history)
    {
        var replay = new Replay();
        foreach (var happened in history) replay.Play(happened);
        replay.CheckState();
        return replay;
    }

    private void Play(Event happened)
    {
        switch (happened)
        {
            case Event.Join(var server, var vms):
                _ledger.Join(server, vms);
                _model.Offer(server, vms, online: true);
                break;
            case Event.Restored(var server, var vms) when !Known(server.Name):
                _ledger.Restore(server, vms);
                _model.Offer(server, vms, online: false);
                break;
            case Event.RestoredContainer restored:
                Restore(restored);
                break;
            case Event.Leave(var server) when Known(server):
                _ledger.Leave(History.ServerName(server), "its agent went away");
                _model.Leave(History.ServerName(server));
                break;
            case Event.Configure(var server, var cordoned, var thresholds) when Known(server):
                var changed = _model.Get(History.ServerName(server)).Record with { Cordoned = cordoned, Thresholds = thresholds };
                _ledger.Configure(changed);
                _model.Get(changed.Name).Record = changed;
                break;
            case Event.ConfigureVm(var server, var vm, var cordoned) when Known(server):
                Cordon(_model.Get(History.ServerName(server)).Vms.SingleOrDefault(known => known.Record.Name == $"vm-{vm}"), cordoned);
                break;
            case Event.SetDefaults(var thresholds):
                _ledger.SetDefaults(thresholds);
                _model.Defaults = thresholds;
                break;
            case Event.Report report when Known(report.Server):
                Report(report.Server, report.Utilization, report.Ready, report.Size, report.SampledAgoMs);
                break;
            case Event.ReportAll(var utilization):
                foreach (var server in _model.Servers.ToList()) Report(int.Parse(server.Record.Name[4..]), utilization, [true, true, true, true, true], [0, 0, 0, 0, 0], 0);
                break;
            case Event.Place(var request):
                Place(request);
                break;
            case Event.Release(var which):
                Release(which);
                break;
            case Event.Started(var which, var ago) when _model.Containers.Count > 0:
                var started = _model.Containers[which % _model.Containers.Count].Record.Id;
                _ledger.Started(started, _model.Now.AddMilliseconds(-ago));
                _model.Started(started, _model.Now.AddMilliseconds(-ago));
                break;
            case Event.Wait(var milliseconds):
                Wait(milliseconds);
                break;
        }
        Assert.Equal(_model.VmCount, _ledger.Vms);
    }

    private bool Known(int server) => Known(History.ServerName(server));

    private bool Known(string server) => _model.Servers.Exists(known => known.Record.Name == server);

    private void Cordon(RegionModel.Vm? vm, bool cordoned)
    {
        if (vm is null) return;
        vm.Record = vm.Record with { Cordoned = cordoned };
        _ledger.Configure(vm.Record);
    }

    private void Restore(Event.RestoredContainer restored)
    {
        if (!Known(restored.Server)) return;
        var server = _model.Get(History.ServerName(restored.Server));
        if (server.Vms.Count == 0) return;
        var vm = server.Vms[restored.Vm % server.Vms.Count];
        var record = new ContainerRecord
        {
            Id = $"c-{_ids++}", App = $"app-{restored.App}", Revision = 1, Region = History.Region, Server = server.Record.Name, Vm = vm.Record.Name,
            Demand = restored.Demand, State = ContainerState.Running, CreatedAt = _model.Now, StartedAt = restored.HasStarted ? _model.Now : null,
        };
        _ledger.Restore(record);
        _model.Add(record);
    }

    private void Report(int server, Utilization utilization, bool[] ready, int[] size, int sampledAgoMs)
    {
        var name = History.ServerName(server);
        var report = new UtilizationReport
        {
            SampledAt = _model.Now.AddMilliseconds(-sampledAgoMs),
            Utilization = utilization,
            Unprotected = sampledAgoMs % 5 == 0 ? "cpu.idle is 0" : null,
            Vms = [.. ready.Select((isReady, vm) => new VmReport(
                $"vm-{vm}", isReady, 0, isReady ? null : "engine down", Gone: false, Math.Max(0, size[vm]) * 100, Math.Max(0, size[vm]) * 64, Leaving: size[vm] < 0))],
        };
        Assert.Equal(_model.Get(name).Online, _ledger.Report(name, report, _model.Now));
        _model.Report(name, report);
    }

    private void Wait(int milliseconds)
    {
        var fresh = _model.Servers.Where(server => !_model.IsStale(server)).ToList();
        _model.Now += TimeSpan.FromMilliseconds(milliseconds);
        var stale = _ledger.ExpireStale(_model.Now);
        Assert.Equal(fresh.Where(_model.IsStale).Select(server => server.Record.Name).Order(), stale.Order());
    }

    private void Place(PlacementRequest request)
    {
        var explained = _ledger.Explain(request, 1, _model.Now);
        CheckExplanation(request, explained);
        var plan = _ledger.Place(request, _ => $"c-{_ids++}", _model.Now);
        _answers.Add($"{string.Join(' ', plan.Placed.Select(c => $"{c.Server}/{c.Vm}"))} {plan.Refusal?.Message}");
        foreach (var record in plan.Placed) CheckChoice(request, record);
        if (explained.Matching > 0 && plan.Placed.Count > 0)
            Assert.Equal((explained.Candidates[0].Server, explained.Candidates[0].Vm), (plan.Placed[0].Server, plan.Placed[0].Vm));
        if (request.AllOrNothing && plan.Refusal is not null) CheckNoneFit(request, plan);
        else CheckRefusal(request, plan);
    }

    private void CheckChoice(PlacementRequest request, ContainerRecord record)
    {
        var matches = _model.Matches(request);
        Assert.Contains(matches, match => match.Server.Record.Name == record.Server && match.Vm.Record.Name == record.Vm);
        if (request.Spread == Spread.Server)
            Assert.Equal(
                matches.Min(match => _model.Replicas(request.App, match.Server)), _model.Replicas(request.App, _model.Get(record.Server)));
        var server = _model.Get(record.Server);
        var onServer = matches.Where(match => match.Server == server).Select(match => match.Vm);
        Assert.Equal(_model.Preferred(server, onServer, request).First().Record.Name, record.Vm);
        Assert.Equal((request.App, request.Demand, ContainerState.Placed, _model.Now), (record.App, record.Demand, record.State, record.CreatedAt));
        _model.Add(record);
    }

    private void CheckRefusal(PlacementRequest request, PlacementPlan plan)
    {
        Assert.Equal(plan.Placed.Count == request.Count, plan.Refusal is null);
        if (plan.Refusal is null) return;
        Assert.Empty(_model.Matches(request));
        Assert.Equal(_model.Counts(request), plan.Refusal.Rules);
        Assert.Equal(_model.VmCount, plan.Refusal.Vms);
        Assert.Equal(_model.VmCount, plan.Refusal.Rules.Sum(rule => rule.Count));
    }

    /// <summary>One at a time the replicas run out before all are placed; then they are taken back.</summary>
    private void CheckNoneFit(PlacementRequest request, PlacementPlan plan)
    {
        Assert.Empty(plan.Placed);
        var single = request with { Count = 1, AllOrNothing = false };
        var tried = new List<string>();
        while (tried.Count < request.Count && _ledger.Place(single, _ => $"try-{_ids++}", _model.Now) is { Refusal: null } fits)
        {
            tried.Add(fits.Placed[0].Id);
            CheckChoice(single, fits.Placed[0]);
        }
        Assert.InRange(tried.Count, 0, request.Count - 1);
        Assert.Equal(_model.Counts(request), plan.Refusal!.Rules);
        foreach (var id in tried) Assert.Equal(_model.Release(id), _ledger.Release(id));
    }

    private void CheckExplanation(PlacementRequest request, PlacementExplanation explained)
    {
        Assert.Equal(_model.Matches(request).Count, explained.Matching);
        Assert.Equal(_model.Counts(request), explained.Excluded);
        Assert.Equal(_model.VmCount, explained.Vms);
        foreach (var candidate in explained.Candidates)
        {
            var server = _model.Get(candidate.Server);
            Assert.Equal(_model.ProjectedCpu(server, request.Demand.CpuMillis), candidate.ProjectedCpu, 1e-9);
            Assert.Equal(_model.Replicas(request.App, server), candidate.Replicas);
            Assert.Equal(_model.On(server, server.Vms.Single(vm => vm.Record.Name == candidate.Vm)).Count(c => c.Record.App == request.App), candidate.ReplicasInVm);
            Assert.Equal(_model.Excludes(server, server.Vms.Single(vm => vm.Record.Name == candidate.Vm), request), candidate.ExcludedBy);
            Assert.Equal(candidate.ExcludedBy is null, candidate.Reason is null);
        }
    }

    private void Release(int which)
    {
        if (_model.Containers.Count == 0)
        {
            Assert.False(_ledger.Release("nobody"));
            return;
        }
        var id = _model.Containers[which % _model.Containers.Count].Record.Id;
        Assert.True(_ledger.Release(id));
        Assert.False(_ledger.Release(id));
        _model.Release(id);
    }

    private void CheckState()
    {
        foreach (var status in _ledger.Describe(_model.Now))
        {
            var server = _model.Get(status.Server.Name);
            Assert.Equal(server.Online, status.Online);
            Assert.Equal(status.Admitting, status.NotAdmittingReason is null);
            Assert.Equal(
                server.Vms.Select(vm => (vm.Record.Name, Math.Max(0, _model.FreeCpu(server, vm)), Math.Max(0, _model.FreeMemory(server, vm)), _model.On(server, vm).Count())),
                status.Vms.Select(vm => (vm.Vm.Name, vm.FreeCpuMillis, vm.FreeMemoryMiB, vm.Containers)));
            Assert.Equal(
                _model.Containers.Where(c => c.Record.Server == status.Server.Name).Select(c => c.Record.Id).Order(),
                _ledger.ContainersOf(status.Server.Name).Select(c => c.Id).Order());
        }
        foreach (var container in _model.Containers) Assert.Equal(container.Record, _ledger.Find(container.Record.Id));
    }
}
