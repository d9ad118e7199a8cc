using System.Diagnostics;
using System.Globalization;
using Hosting.Domain.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Benchmarks.Placement;

/// <summary>Decisions in this process, on one thread and without storage: what the matching itself costs.</summary>
internal sealed class Decisions
{
    private const string Region = "memory";
    private const int Chunk = 2_000;
    private const int WarmUps = 100;
    private const int Rounds = 150;

    private readonly PlacementLedger _ledger = new(Region, Thresholds.Default, TimeSpan.FromDays(1));
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly Queue<string> _placed = new();
    private readonly BenchRegion _region;
    private long _ids;

    public Decisions(int servers)
    {
        _region = new BenchRegion(null, Region, servers);
        for (var server = 0; server < servers; server++)
            _ledger.Join(_region.Server(server), _region.Vms(server));
        Report(_ => 0.05 + Random.Shared.NextDouble() * 0.25);
        for (var i = 0; i < servers; i++)
            Place(Demands.Some());
    }

    /// <summary>Decisions a second that find a VM, spread over servers, in a region that neither fills nor empties.</summary>
    public double Placing() => Rate(
        () => Place(Demands.Some()),
        () =>
        {
            for (var i = 0; i < Chunk; i++)
                _ledger.Release(_placed.Dequeue());
        });

    /// <summary>Every server is over its threshold, or its VMs are used.</summary>
    public void Fill()
    {
        Report(server => server % 2 == 0 ? 0.05 : 0.9);
        var whole = new Demand(50_000, 16);
        for (var i = 0; i < _region.Servers; i++)
            _ledger.Place(Demands.Request(whole, 2), NextId, _now);
    }

    /// <summary>No two VMs are alike, and none has room for what a <see cref="Demands.Large"/> demand asks for at least.</summary>
    public void FillUnevenly()
    {
        Report(_ => 0.05 + Random.Shared.NextDouble() * 0.75, _ => 0.05 + Random.Shared.NextDouble() * 0.75);
        for (var i = 0; i < 10 * _region.Servers; i++)
            _ledger.Place(Demands.Request(Demands.Small(), 1), NextId, _now);
        while (_ledger.Place(Demands.Request(Demands.LeastLarge, PlacementLedger.MaxReplicasPerRequest), NextId, _now).Refusal is null)
        {
        }
    }

    /// <summary>Decisions a second that find none.</summary>
    public double Refusing(Func<Demand> demand) => Rate(
        () =>
        {
            if (_ledger.Place(Demands.Request(demand(), 1), NextId, _now).Refusal is null)
                throw new PreconditionException("the full region had room.");
        },
        () => { });

    /// <summary>Decisions a second of which some find a VM, which is free again afterwards, and most find none.</summary>
    public double Deciding(Func<Demand> demand) => Rate(
        () =>
        {
            if (_ledger.Place(Demands.Request(demand(), 1), NextId, _now).Placed is [var placed])
                _ledger.Release(placed.Id);
        },
        () => { });

    // Chunk by chunk, and the median of them: a neighbour on the machine spoils some, not all.
    private static double Rate(Action decide, Action between)
    {
        var took = new List<double>();
        for (var round = -WarmUps; round < Rounds; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            for (var i = 0; i < Chunk; i++)
                decide();
            if (round >= 0)
                took.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            between();
        }
        took.Sort();
        return Chunk / took[took.Count / 2];
    }

    private void Place(Demand demand)
    {
        var plan = _ledger.Place(Demands.Request(demand, 1), NextId, _now);
        _placed.Enqueue(plan.Placed[0].Id);
    }

    private void Report(Func<int, double> cpu, Func<int, double>? memory = null)
    {
        for (var server = 0; server < _region.Servers; server++)
            _ledger.Report($"srv-{server}", new UtilizationReport { SampledAt = _now, Utilization = new Utilization(cpu(server), memory?.Invoke(server) ?? 0.05, 0), Vms = [] }, _now);
    }

    private string NextId(int replica) => string.Create(CultureInfo.InvariantCulture, $"app-{_ids++:x8}");
}
