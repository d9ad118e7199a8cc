using Hosting.Apps;
using Hosting.Domain.Eviction;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <content>Once a second: who has to leave the server. Decided anew at every look, by the real watches and planners.</content>
internal sealed partial class ServerPart
{
    private static readonly TimeSpan LookAtNothingEvery = TimeSpan.FromSeconds(15);

    private readonly HashSet<string> _lostVms = new(StringComparer.Ordinal);
    private ServerPressure _pressure = null!;
    private LossWatch _loss = null!;
    private Departures _departures = null!;
    private DateTimeOffset _lookAt;
    private bool _looking;
    private bool _lost;
    private bool _pressed;
    private bool _allReady;
    private bool _doubtful;

    private TimeSpan LostAfter => TimeSpan.FromSeconds(Region.Policy.LostAfterSeconds);

    /// <summary>Whether the server's loss is noticed.</summary>
    public bool IsLost => _loss.IsLost(LostAfter, Region.Now);

    private void StartWatch()
    {
        (_pressure, _loss, _departures) = (new ServerPressure(), new LossWatch(Region.Now), new Departures(Region));
        (_looking, _lost, _pressed, _doubtful, _lookAt) = (false, false, false, false, default);
        _lostVms.Clear();
    }

    private void LookAgain()
    {
        _doubtful = true;
        LookSoon();
    }

    private void LookSoon()
    {
        _lookAt = default;
        Region.Time.After(TimeSpan.Zero, Consider);
    }

    private void Hear(UtilizationReport report)
    {
        _loss.Hear(report.Vms, Region.Now);
        _allReady = true;
        foreach (var vm in report.Vms) _allReady &= vm.Ready;
        _pressure.Measure(report, _record!.Thresholds ?? Region.Policy.Thresholds, Region.Now);
        var pressed = _pressure.NeedsLook(Region.Policy);
        if (pressed && !_pressed) LookSoon();
        _pressed = pressed;
    }

    /// <summary>The look of every second. The usual case, nothing at all, costs no task.</summary>
    public void Consider()
    {
        if (_looking || _record is null) return;
        if (NoticesLoss() || NeedsLook()) Region.Run(Look);
    }

    private bool NoticesLoss()
    {
        if (IsLost != _lost) return true;
        if (_lost) return false;
        if (_allReady && _lostVms.Count == 0) return false;
        foreach (var vm in _vms)
            if ((_loss.WhyLost(vm.Name, LostAfter, Region.Now) is not null) != _lostVms.Contains(vm.Name)) return true;
        return false;
    }

    private bool NeedsLook()
    {
        if (_doubtful || _departures.Any || _pressure.NeedsLook(Region.Policy)) return true;
        return AllLeave && Region.Now >= _lookAt;
    }

    private bool AllLeave => _record!.Draining || _lost || _lostVms.Count > 0 || _vms.Exists(vm => vm.Draining);

    private async Task Look()
    {
        _looking = true;
        var number = Number;
        try
        {
            await NoteSilence();
            await NoteVms();
            if (NeedsLook()) await Evacuate();
        }
        finally
        {
            if (number == Number) _looking = false;
        }
    }

    private async Task Evacuate()
    {
        await Write();
        var live = Region.Database.OnServer(Name);
        var now = Region.Now;
        if (_doubtful) _departures.Doubt(live);
        _doubtful = false;
        var leaving = Departure.Of(_record!, _vms, _loss, live, Region.Policy, now);
        var evicted = await Evict(live, leaving, now);
        await _departures.Tell([.. leaving, .. evicted], live, now.AddSeconds(Region.Policy.CooldownSeconds));
        _lookAt = AllLeave && live.Count == 0 ? now + LookAtNothingEvery : default;
    }

    private async Task<IReadOnlyList<Departure>> Evict(IReadOnlyList<ContainerRecord> live, IReadOnlyList<Departure> leaving, DateTimeOffset now)
    {
        if (!_pressure.NeedsLook(Region.Policy)) return [];
        var (pressure, anyway) = (_pressure, leaving.Select(d => d.Container.Id).ToHashSet(StringComparer.Ordinal));
        pressure.Look(new Demand(_record!.CpuMillis, _record.MemoryMiB), live, anyway, Region.Policy, now);
        var moves = pressure.Moves.Where(m => !anyway.Contains(m.Container.Id)).ToList();
        if (moves.Count > 0)
        {
            var question = new MoveQuestion
            {
                Server = Name,
                Candidates = [.. moves.Select(m => new MoveCandidate(m.Container.Id, null, m.Begun))],
                Urgent = pressure.IsUrgent,
            };
            var answers = await Call(() => Task.FromResult(Placement.BeginMoves(question)));
            foreach (var (move, answer) in moves.Zip(answers)) pressure.Answer(move.Container.Id, answer, now);
        }
        return [.. pressure.Moves.Where(m => m.Begun && !anyway.Contains(m.Container.Id))
            .Select(m => new Departure(m.Container, MoveCause.Pressure, m.Reason))];
    }

    private async Task NoteSilence()
    {
        var lost = IsLost;
        if (lost == _lost) return;
        if (lost)
        {
            var session = _session;
            _session = null;
            session?.Link.Close();
            await Call(() => { Placement.Leave(Name, "it counts as lost"); return Task.CompletedTask; });
            await Each(session?.Vms ?? [], vm => Vm(vm.Name).Detach());
            Region.Watch.Tally.ServersLost++;
        }
        (_lost, _lookAt) = (lost, default);
    }

    private async Task NoteVms()
    {
        if (_lost) return;
        foreach (var vm in _vms)
        {
            var isLost = _loss.WhyLost(vm.Name, LostAfter, Region.Now) is not null;
            if (isLost && _lostVms.Add(vm.Name)) _lookAt = default;
            if (isLost || !_lostVms.Contains(vm.Name)) continue;
            await Call(() => Vm(vm.Name).Refresh());
            _lostVms.Remove(vm.Name);
        }
        _lostVms.RemoveWhere(name => !_vms.Exists(vm => vm.Name == name));
    }
}
