using System.Globalization;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Domain.Eviction;

/// <summary>
/// One server's pressure: takes its reports, and decides which containers leave. What was decided counts as gone until a
/// report that was measured without it, so that nothing is decided twice on the same numbers. A pure state machine: the time comes
/// with the calls. Not thread-safe.
/// </summary>
public sealed class ServerPressure
{
    /// <summary>A server's memory in use from which moves do not wait for the region's budget.</summary>
    public const double MemoryNearlyGone = 0.97;

    // A move that takes longer than this is not going to help; the container stays, and others are chosen instead.
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan NoRoomFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GivenUpFor = TimeSpan.FromMinutes(1);
    // Who takes little because it waits for a CPU, for which the agent holds the containers back, is not relieved. (Of one that hardly runs a
    // large share is next to nothing, and the agent does nothing.)
    private const double PrimaryWaits = 0.30;
    private static readonly TimeSpan LookIsOldAfter = TimeSpan.FromSeconds(5);

    // The report that comes next began to be measured before the container was seen to be over.
    private const int ReportsWithIt = 2;

    private readonly PressureWindow _window = new();
    private readonly Dictionary<string, PressureMove> _moves = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Demand Frees, long ForgetAt)> _ended = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (PressureMove Move, DateTimeOffset Until)> _stays = new(StringComparer.Ordinal);
    private Dictionary<string, Demand> _lastSeen = new(StringComparer.Ordinal);
    private DateTimeOffset _lookedAt;
    private IReadOnlyList<ContainerUsage> _measured = [];
    private Dictionary<string, Demand>? _usage;
    private Thresholds _thresholds = Thresholds.Default;
    private double _memory;
    private double? _primaryWait;
    private int? _capMillis;
    private long _reports;

    /// <summary>Containers that have to leave, in the order they were chosen.</summary>
    public IReadOnlyCollection<PressureMove> Moves => _moves.Values;

    /// <summary>Containers that should leave and cannot, while nobody can: no other server takes any of them.</summary>
    public IReadOnlyCollection<PressureMove> Held => _moves.Count > 0 || _window.OverFor is null ? [] : [.. _stays.Values.Select(s => s.Move)];

    /// <summary>Whether memory is so short that moves do not wait for the budget.</summary>
    public bool IsUrgent => _memory >= MemoryNearlyGone;

    /// <summary>Whether <see cref="Look"/> could come to a decision.</summary>
    public bool NeedsLook(RegionPolicy policy) => _moves.Count > 0 || IsOver(policy);

    /// <summary>A report of its agent.</summary>
    /// <param name="report">What was measured.</param>
    /// <param name="thresholds">The server's thresholds in effect.</param>
    /// <param name="now">When it came.</param>
    public void Measure(UtilizationReport report, Thresholds thresholds, DateTimeOffset now)
    {
        _reports++;
        (_thresholds, _memory, _primaryWait, _capMillis) = (thresholds, report.Utilization.Memory, report.PrimaryWait, report.CapMillis);
        (_measured, _usage) = (report.Usage, null);
        if (_ended.Count > 0) ForgetEnded();
        // A cap makes the server look relieved at the cost of its containers: they count with what they are kept from.
        _window.Add(report.Wanted, thresholds, now);
    }

    /// <summary>Decides who leaves, who stays after all, and forgets those that are over.</summary>
    /// <param name="capacity">CPU and memory of the whole server.</param>
    /// <param name="live">Its containers that are not over.</param>
    /// <param name="leavesAnyway">Ids of those that leave for another cause.</param>
    /// <param name="policy">The region's policy.</param>
    /// <param name="now">The time.</param>
    public PressureDecision Look(
        Demand capacity, IReadOnlyList<ContainerRecord> live, IReadOnlySet<string> leavesAnyway, RegionPolicy policy, DateTimeOffset now)
    {
        Settle(live, now);
        var stay = IsRelieved(now) ? StayAll() : GiveUp(now);
        if (!IsOver(policy) || !_window.IsTelling(now)) return stay.Count == 0 ? PressureDecision.None : new([], stay, null);
        var (guests, leaving) = Sort(live, leavesAnyway);
        var plan = EvictionPlanner.Plan(
            new ServerLoad(_window.Level, _thresholds, capacity, leaving),
            [.. guests.Select(c => new Guest(c.Id, Frees(c)))]);
        return plan.Leave.Count == 0 && stay.Count == 0 ? PressureDecision.None : Choose(plan, guests, stay, now);
    }

    /// <summary>What the region answered about a move.</summary>
    public void Answer(string container, MoveAnswer answer, DateTimeOffset now)
    {
        if (!_moves.TryGetValue(container, out var move)) return;
        if (answer == MoveAnswer.Begin && !move.Begun) _moves[container] = move with { Begun = true, Since = now };
        if (answer != MoveAnswer.NoRoom || move.Begun) return;
        _moves.Remove(container);
        _stays[container] = (move, now + NoRoomFor);
    }

    // Few reports are ever looked into.
    private Dictionary<string, Demand> Usage => _usage ??= _measured.DistinctBy(u => u.Container)
        .ToDictionary(u => u.Container, u => new Demand(Math.Max(0, u.CpuMillis) + u.HeldMillis, Math.Max(0, u.MemoryMiB)), StringComparer.Ordinal);

    private void ForgetEnded()
    {
        var measuredWithout = _ended.Where(e => e.Value.ForgetAt <= _reports).Select(e => e.Key).ToList();
        foreach (var container in measuredWithout) _ended.Remove(container);
        if (measuredWithout.Count > 0) _window.Restart();
    }

    private bool IsRelieved(DateTimeOffset now) => _moves.Count > 0 && _window.IsTelling(now) && !(_primaryWait >= PrimaryWaits && _capMillis is not null)
        && _window.Level.Cpu < _thresholds.Admit && _window.Level.Memory < _thresholds.Admit;

    private bool IsOver(RegionPolicy policy) => _window.OverFor >= TimeSpan.FromSeconds(policy.EvictAfterSeconds);

    /// <summary>Takes in what has changed since the look before: what is over will soon be missing in the reports.</summary>
    private void Settle(IReadOnlyList<ContainerRecord> live, DateTimeOffset now)
    {
        var seen = live.ToDictionary(c => c.Id, Weight, StringComparer.Ordinal);
        if (now - _lookedAt > LookIsOldAfter) _lastSeen.Clear();
        foreach (var (id, frees) in _lastSeen)
            if (!seen.ContainsKey(id)) _ended[id] = (frees, _reports + ReportsWithIt);
        (_lastSeen, _lookedAt) = (seen, now);
        foreach (var id in _moves.Keys.Where(id => !seen.ContainsKey(id)).ToList()) _moves.Remove(id);
        foreach (var (id, stays) in _stays)
            if (now >= stays.Until || !seen.ContainsKey(id)) _stays.Remove(id);
        foreach (var container in live)
            if (_moves.TryGetValue(container.Id, out var move)) _moves[container.Id] = move with { Container = container };
    }

    private List<string> StayAll()
    {
        var stay = _moves.Values.Where(m => m.Container.State < ContainerState.Draining).Select(m => m.Container.Id).ToList();
        foreach (var id in stay) _moves.Remove(id);
        return stay;
    }

    private List<string> GiveUp(DateTimeOffset now)
    {
        var stay = _moves.Values
            .Where(m => m.Container.State < ContainerState.Draining && m.Begun && now - m.Since >= GiveUpAfter)
            .ToList();
        foreach (var move in stay)
        {
            _moves.Remove(move.Container.Id);
            _stays[move.Container.Id] = (move, now + GivenUpFor);
        }
        return stay.ConvertAll(m => m.Container.Id);
    }

    /// <summary>Those that may be chosen, and what those that leave already will free.</summary>
    private (List<ContainerRecord> Guests, Demand Leaving) Sort(
        IReadOnlyList<ContainerRecord> live, IReadOnlySet<string> leavesAnyway)
    {
        var guests = new List<ContainerRecord>(live.Count);
        var leaving = _ended.Values.Aggregate(default(Demand), (sum, ended) => Add(sum, ended.Frees));
        foreach (var container in live)
        {
            var leaves = _moves.ContainsKey(container.Id) || container.State == ContainerState.Draining || leavesAnyway.Contains(container.Id);
            if (leaves) leaving = Add(leaving, Weight(container));
            else if (!_stays.ContainsKey(container.Id)) guests.Add(container);
        }
        return (guests, leaving);
    }

    private PressureDecision Choose(EvictionPlan plan, List<ContainerRecord> guests, List<string> stay, DateTimeOffset now)
    {
        var reason = Reason(plan.Needed);
        var byId = guests.ToDictionary(c => c.Id, StringComparer.Ordinal);
        var chosen = plan.Leave.Select(id => new PressureMove(byId[id], Frees(byId[id]), reason, Begun: false, now)).ToList();
        foreach (var move in chosen) _moves[move.Container.Id] = move;
        return new PressureDecision(chosen, stay, chosen.Count > 0 ? reason : null);
    }

    /// <summary>What one takes, where its agent measures it. What has not started yet takes nothing that a report includes.</summary>
    private Demand Frees(ContainerRecord container) =>
        Usage.TryGetValue(container.Id, out var takes) ? takes
        : container.State < ContainerState.Running ? default
        : container.Demand;

    /// <summary>As <see cref="Frees"/>; of one that is leaving what it took when that was decided, if that was more: the level is an average.</summary>
    private Demand Weight(ContainerRecord container)
    {
        var frees = Frees(container);
        return _moves.TryGetValue(container.Id, out var move)
            ? new Demand(Math.Max(frees.CpuMillis, move.Frees.CpuMillis), Math.Max(frees.MemoryMiB, move.Frees.MemoryMiB))
            : frees;
    }

    private string Reason(Demand needed)
    {
        var level = _window.Level;
        var parts = new List<string>(3);
        if (needed.CpuMillis > 0) parts.Add(Text($"CPU {level.Cpu:0.00} over {_thresholds.Evict:0.00}"));
        if (needed.MemoryMiB > 0) parts.Add(Text($"memory {level.Memory:0.00} over {_thresholds.Evict:0.00}"));
        var wait = _primaryWait is { } share ? Text($", its primary waited {share * 100:0} % of the time for a CPU") : "";
        var cap = _capMillis is { } millis ? Text($", its containers are held to {millis} m CPU") : "";
        return Text($"{string.Join(" and ", parts)} for {_window.OverFor?.TotalSeconds ?? 0:0} s{wait}{cap}");
    }

    private static Demand Add(Demand a, Demand b) => new(a.CpuMillis + b.CpuMillis, a.MemoryMiB + b.MemoryMiB);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
