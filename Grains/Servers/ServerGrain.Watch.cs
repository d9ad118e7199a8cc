using Hosting.Apps;
using Hosting.Domain.Eviction;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Servers;

/// <content>
/// Looks at who has to leave the server, and why: because it is lost, drained, or under pressure. A look comes when a report or a call
/// changes something, when silence turns into a loss, and once a second while anything has to leave. Everything is
/// decided anew at each look, so what was lost on the way to a replica set is said again.
/// </content>
internal sealed partial class ServerGrain
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    // Nothing is placed on a server that all have to leave: after the first looks that found it empty, none is urgent.
    private static readonly TimeSpan LookAtNothingFirst = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookAtNothingLast = TimeSpan.FromMinutes(5);
    // A change of the region's policy is heard of no later.
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(15);

    private readonly ServerPressure _pressure = new();
    private readonly HashSet<string> _lostVms = new(StringComparer.Ordinal);
    private Departures _departures = null!;
    private LossWatch _loss = null!;
    private RegionPolicy _policy = new();
    private DateTimeOffset _lookAt;
    private TimeSpan _lookAtNothingIn = LookAtNothingFirst;
    private IGrainTimer? _timer;
    private bool _looking;
    private bool _lookAgain;
    private Presence _presence;
    private bool _saidLost;
    private bool _saidHeld;
    private bool _pressed;
    private bool _doubtful;

    // Containers left of what is being drained, at the last look: VMs by name, the server by the empty name.
    private readonly Dictionary<string, int> _left = new(StringComparer.Ordinal);

    private enum Presence
    {
        Here,
        Suspect,
        Lost,
    }

    private Thresholds Thresholds => _record?.Thresholds ?? _policy.Thresholds;

    private TimeSpan LostAfter => TimeSpan.FromSeconds(_policy.LostAfterSeconds);

    private void StartWatch()
    {
        _departures = new Departures(Region, GrainFactory, log);
        _loss = new LossWatch(clock.GetUtcNow());
        foreach (var emptied in _vmRecords.Where(vm => vm.Draining).Select(vm => vm.Name).Concat(_record?.Draining is true ? [""] : []))
            _left[emptied] = 0;
        // Reports go on being taken while a look waits for others.
        _timer = this.RegisterGrainTimer(Look, new() { DueTime = LookEvery, Period = Timeout.InfiniteTimeSpan, Interleave = true });
    }

    /// <summary>Something changed for all of its containers: what an earlier look, or an earlier activation, made leave may stay.</summary>
    private void LookAgain()
    {
        _doubtful = true;
        LookSoon();
    }

    private void LookSoon()
    {
        _lookAt = default;
        _lookAtNothingIn = LookAtNothingFirst;
        _lookAgain = _looking;
        if (!_looking)
            LookIn(TimeSpan.Zero);
    }

    private void LookIn(TimeSpan due) => _timer?.Change(due, Timeout.InfiniteTimeSpan);

    private void Hear(UtilizationReport report)
    {
        var now = clock.GetUtcNow();
        var news = _loss.Hear(report.Vms, now);
        _pressure.Measure(report, Thresholds, now);
        var pressed = _pressure.NeedsLook(_policy);
        if (news || (pressed && !_pressed))
            LookSoon();
        _pressed = pressed;
    }

    private async Task Look(CancellationToken cancellationToken)
    {
        // Its hello looks again.
        if (_record is null)
            return;
        (_looking, _lookAgain) = (true, false);
        var rest = LookEvery;
        try
        {
            _policy = await policies.Get(Region);
            await NoteSilence();
            await NoteVms();
            if (NeedsLook())
                await Evacuate(cancellationToken);
            rest = Rest();
        }
        catch (Exception failure)
        {
            log.LogWarning("Who has to leave server {Server} could not be worked on and is tried again in {Seconds} s: {Reason}",
                this.GetPrimaryKeyString(), LookEvery.TotalSeconds, failure.Message);
        }
        finally
        {
            _looking = false;
            LookIn(_lookAgain ? TimeSpan.Zero : rest);
        }
    }

    private bool IsBusy => _doubtful || _departures.Any || _pressure.NeedsLook(_policy);

    private bool NeedsLook() => IsBusy || (AllLeave && clock.GetUtcNow() >= _lookAt);

    /// <summary>How long there is nothing to see, unless a report or a call brings it.</summary>
    private TimeSpan Rest()
    {
        if (IsBusy || (AllLeave && _lookAt == default))
            return LookEvery;
        var now = clock.GetUtcNow();
        var rest = _loss.Rest(LostAfter, now);
        if (AllLeave && _lookAt - now < rest)
            rest = _lookAt - now;
        // Thousands of grains that woke up together shall not look together for ever.
        var longest = LongestRest * (1 - (Random.Shared.NextDouble() / 2));
        return rest < longest ? TimeSpan.FromTicks(Math.Max(rest.Ticks, 0)) : longest;
    }

    /// <summary>Whether whatever is found on the server, or on a VM of it, has to leave.</summary>
    private bool AllLeave => _record!.Draining || _vmRecords.Any(vm => vm.Draining || vm.Leaving) || _presence == Presence.Lost || _lostVms.Count > 0;

    private async Task Evacuate(CancellationToken cancellationToken)
    {
        var live = await pool.GetLive(Region, Name, cancellationToken);
        var now = clock.GetUtcNow();
        if (_doubtful)
            _departures.Doubt(live);
        _doubtful = false;
        var leaving = Departure.Of(_record!, _vmRecords, _loss, live, _policy, now);
        NoteProgress(live);
        var evicted = await Evict(live, leaving, now);
        await _departures.Tell([.. leaving, .. evicted], live, now.AddSeconds(_policy.CooldownSeconds));
        NoteEmpty(live.Count == 0, now);
    }

    private void NoteEmpty(bool empty, DateTimeOffset now)
    {
        if (!AllLeave || !empty)
        {
            (_lookAt, _lookAtNothingIn) = (default, LookAtNothingFirst);
            return;
        }
        _lookAt = now + _lookAtNothingIn;
        _lookAtNothingIn = _lookAtNothingIn < LookAtNothingLast ? 2 * _lookAtNothingIn : LookAtNothingLast;
    }

    private async Task<IReadOnlyList<Departure>> Evict(IReadOnlyList<ContainerRecord> live, IReadOnlyList<Departure> leaving, DateTimeOffset now)
    {
        if (!_pressure.NeedsLook(_policy))
        {
            _saidHeld = false;
            return [];
        }
        var anyway = leaving.Select(d => d.Container.Id).ToHashSet(StringComparer.Ordinal);
        var decision = _pressure.Look(new Demand(_record!.CpuMillis, _record.MemoryMiB), live, anyway, _policy, now);
        if (decision.Stay.Count > 0)
            Log("relieved", $"{string.Join(", ", decision.Stay)} may stay on server {Name} after all");
        await Begin([.. _pressure.Moves.Where(m => !anyway.Contains(m.Container.Id))], now);
        await Hold();
        return [.. _pressure.Moves.Where(m => m.Begun && !anyway.Contains(m.Container.Id))
            .Select(m => new Departure(m.Container, MoveCause.Pressure, m.Reason))];
    }

    /// <summary>Asks the region which moves may begin; repeated for those that did, which keeps their places in its budget.</summary>
    private async Task Begin(IReadOnlyList<PressureMove> moves, DateTimeOffset now)
    {
        if (moves.Count == 0)
            return;
        var candidates = await Task.WhenAll(moves.Select(async m => new MoveCandidate(m.Container.Id, await Constraints(m.Container), m.Begun)));
        var answers = await Placement.BeginMoves(new MoveQuestion { Server = Name, Candidates = candidates, Urgent = _pressure.IsUrgent });
        foreach (var (move, answer) in moves.Zip(answers))
        {
            _pressure.Answer(move.Container.Id, answer, now);
            if (answer == MoveAnswer.Begin && !move.Begun)
                Log("evicting", $"{move.Container.Id} has to leave server {Name}: {move.Reason}", move.Container);
        }
    }

    private async Task<IReadOnlyDictionary<string, string>?> Constraints(ContainerRecord container) =>
        (await GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(Region, container.App)).GetRevision(container.Revision))?.Constraints;

    /// <summary>Nobody can leave: their apps say so.</summary>
    private async Task Hold()
    {
        var held = _pressure.Held;
        if (held.Count > 0 && !_saidHeld)
            Log("held", $"server {Name} has {held.First().Reason}, and no other server can take any of its containers now; they stay, throttled");
        _saidHeld = held.Count > 0;
        var apps = held.GroupBy(m => m.Container.App, StringComparer.Ordinal);
        await Task.WhenAll(apps.Select(app => GrainFactory.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(Region, app.Key)).Hold([.. app.Select(m =>
            new ContainerMove(m.Container.Id, MoveCause.Pressure, $"is throttled on server {Name} ({m.Reason}): no other server can take it now", null))])));
    }

    private async Task NoteSilence()
    {
        if (_greeting || _taking > 0)
            return;
        var now = clock.GetUtcNow();
        var silence = _loss.Silence(now);
        var next = _loss.IsLost(LostAfter, now) ? Presence.Lost : silence >= LossWatch.SuspectAfter ? Presence.Suspect : Presence.Here;
        if (next == _presence)
            return;
        if (next == Presence.Lost)
            await GiveUp($"it has not been heard from for {silence.TotalSeconds:0} s and counts as lost");
        var before = _presence;
        (_presence, _lookAt) = (next, default);
        if (next == Presence.Suspect && _loss.Known)
            Log("suspect", $"server {Name} has not been heard from for {silence.TotalSeconds:0.0} s: it takes nothing new, its containers keep their traffic");
        if (next == Presence.Here && _saidLost)
            Log("back", $"server {Name} is back; what was replaced meanwhile is stopped there");
        else if (next == Presence.Here && before == Presence.Suspect && _loss.Known)
            Log("back", $"server {Name} is heard from again; nothing was moved");
        _saidLost = _saidLost && next != Presence.Here;
    }

    /// <summary>A stream that is open and silent is ended: the agent has to say hello again, which tells what became of its containers.</summary>
    private async Task GiveUp(string reason)
    {
        var session = _session;
        _session = null;
        session?.Link.Close(reason).Ignore();
        _logs.GiveUp();
        await Placement.Leave(Name, reason);
        await Task.WhenAll((session?.Vms ?? []).Select(vm => Vm(vm.Name).Detach()));
    }

    private async Task NoteVms()
    {
        if (_presence != Presence.Here)
            return;
        var now = clock.GetUtcNow();
        foreach (var vm in _vmRecords)
        {
            var why = _loss.WhyLost(vm.Name, LostAfter, now);
            if (why is not null && _lostVms.Add(vm.Name))
            {
                _lookAt = default;
                Log("lost", $"{why} (server {Name}): its containers are replaced elsewhere");
            }
            if (why is not null || !_lostVms.Contains(vm.Name))
                continue;
            await Vm(vm.Name).Refresh();
            _lostVms.Remove(vm.Name);
            Log("back", $"VM {vm.Name} of server {Name} is back; what was replaced meanwhile is stopped there");
        }
        _lostVms.RemoveWhere(name => _vmRecords.All(vm => vm.Name != name));
    }

    private void NoteProgress(IReadOnlyList<ContainerRecord> live)
    {
        if (_presence == Presence.Lost && !_saidLost && (live.Count > 0 || _loss.Known))
        {
            _saidLost = true;
            Log("lost", $"server {Name} has not been heard from for {_loss.Silence(clock.GetUtcNow()).TotalSeconds:0} s: its {live.Count} containers are replaced elsewhere");
        }
        NoteDrain("", $"server {Name}", _record!.Draining, live.Count);
        foreach (var vm in _vmRecords)
            NoteDrain(vm.Name, $"VM {vm.Name} of server {Name}", vm.Draining || vm.Leaving, live.Count(c => c.Vm == vm.Name));
    }

    private void NoteDrain(string key, string what, bool draining, int left)
    {
        if (!draining)
        {
            _left.Remove(key);
            return;
        }
        if (left == 0 && (!_left.TryGetValue(key, out var before) || before > 0))
            Log("drained", $"{what} is empty: everything has left it");
        _left[key] = left;
    }
}
