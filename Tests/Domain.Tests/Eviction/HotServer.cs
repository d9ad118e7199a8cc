using Hosting.Domain.Eviction;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Eviction;

/// <summary>A server whose containers take what they take, seen through its reports every 500 ms.</summary>
internal sealed class HotServer
{
    public static readonly Demand Capacity = new(8_000, 16_384);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, (ContainerRecord Record, Demand Takes)> _live = [];
    private Utilization _previous;
    private bool _ended;

    public ServerPressure Pressure { get; } = new();

    public RegionPolicy Policy { get; set; } = new();

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Share of the CPU that the primary takes.</summary>
    public double PrimaryCpu { get; set; }

    /// <summary>Share of the memory that the primary takes.</summary>
    public double PrimaryMemory { get; set; }

    /// <summary>Share of its time that the primary waits for a CPU.</summary>
    public double? PrimaryWait { get; set; }

    /// <summary>Whether reports say what each container takes.</summary>
    public bool MeasuresContainers { get; set; } = true;

    /// <summary>What the agent lets all containers together take.</summary>
    public int? CapMillis { get; set; }

    public IReadOnlyCollection<string> Live => _live.Keys;

    public List<string> Chosen { get; } = [];

    public List<string> Stayed { get; } = [];

    public Utilization Utilization => new(
        Math.Min(1, PrimaryCpu + _live.Values.Sum(c => Allowed(c.Takes.CpuMillis)) / (double)Capacity.CpuMillis),
        Math.Min(1, PrimaryMemory + _live.Values.Sum(c => c.Takes.MemoryMiB) / (double)Capacity.MemoryMiB), PrimaryCpu);

    public void Run(string id, Demand takes, Demand? demand = null) => _live[id] = (new ContainerRecord
    {
        Id = id, App = "shop", Revision = 1, Region = "eu-1", Server = "srv-1", Vm = "vm-1", Demand = demand ?? takes,
        State = ContainerState.Running, Healthy = true, CreatedAt = Now,
    }, takes);

    public void Drain(string id) => _live[id] = (_live[id].Record with { State = ContainerState.Draining }, _live[id].Takes);

    public void End(string id) => _ended |= _live.Remove(id);

    /// <summary>Half a second: a report of that time, and a look.</summary>
    public void Tick(Func<PressureMove, MoveAnswer>? answer = null)
    {
        Now += Period;
        // What ended in the middle is still half in the report.
        var measured = _ended ? Average(_previous, Utilization) : Utilization;
        (_previous, _ended) = (Utilization, false);
        Pressure.Measure(new UtilizationReport
        {
            SampledAt = Now, Utilization = measured, PrimaryWait = PrimaryWait, Vms = [],
            Usage = MeasuresContainers ? [.. _live.Select(c => Measure(c.Key, c.Value.Takes))] : [],
            CapMillis = CapMillis, HeldBack = _live.Values.Sum(c => c.Takes.CpuMillis - Allowed(c.Takes.CpuMillis)) / (double)Capacity.CpuMillis,
        }, Policy.Thresholds, Now);
        var decision = Pressure.Look(Capacity, [.. _live.Values.Select(c => c.Record)], new HashSet<string>(), Policy, Now);
        Chosen.AddRange(decision.Chosen.Select(m => m.Container.Id));
        Stayed.AddRange(decision.Stay);
        foreach (var move in Pressure.Moves.ToList()) Pressure.Answer(move.Container.Id, answer?.Invoke(move) ?? MoveAnswer.Begin, Now);
    }

    public void Tick(int times, Func<PressureMove, MoveAnswer>? answer = null)
    {
        for (var i = 0; i < times; i++) Tick(answer);
    }

    private ContainerUsage Measure(string id, Demand takes) =>
        new(id, Allowed(takes.CpuMillis), takes.MemoryMiB, takes.CpuMillis - Allowed(takes.CpuMillis));

    /// <summary>What one that would take so much gets of the cap.</summary>
    private int Allowed(int millis) =>
        CapMillis is { } cap && _live.Values.Sum(c => c.Takes.CpuMillis) is var all && all > cap ? (int)((long)millis * cap / all) : millis;

    private static Utilization Average(Utilization a, Utilization b) =>
        new((a.Cpu + b.Cpu) / 2, (a.Memory + b.Memory) / 2, (a.PrimaryCpu + b.PrimaryCpu) / 2);
}
