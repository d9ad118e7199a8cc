using Hosting.Placement;

namespace Hosting.Benchmarks.Placement;

/// <summary>Durable placements from another process, beside bare group commit of the same rows in the same run.</summary>
internal static class PlacementBenchmark
{
    private static readonly TimeSpan FirstWarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FloorWarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FloorWindow = TimeSpan.FromSeconds(3);
    // What a disk or a host takes away for some seconds shall not fall on one side only.
    private const int Rounds = 2;
    // Containers of each caller, on top of what it has placed.
    private const int Stocked = 500;
    private static readonly TimeSpan ActivationLimit = TimeSpan.FromSeconds(60);

    private static readonly Row[] Rows =
    [
        new(250, 256, 1, 60_000, 10),
        new(2_500, 256, 1, 60_000, 10),
        new(25_000, 256, 1, 60_000, 10),
        new(25_000, 1_000, 1, 100_000, 15),
        new(25_000, 64, 16, 150_000, 15),
    ];

    public static async Task<Report> Run()
    {
        var memory = InMemory();
        var sizes = Rows.Select(row => row.Servers).Distinct().ToArray();
        await Say("starting PostgreSQL and a silo ...");
        await using var stack = await PlacementStack.Start([.. sizes.Select(Name)]);
        await using var floor = await GroupCommit.Start(stack.Database);
        var figures = new List<Figure>();
        var regions = new Dictionary<int, BenchRegion>();
        foreach (var servers in sizes)
            regions[servers] = await Prepare(stack, servers);
        await Awake(stack, sizes.Sum());
        foreach (var row in Rows)
            figures.AddRange(await Measure(stack, regions[row.Servers], floor, row, first: row == Rows[0]));
        figures.AddRange(await Refusals(stack, regions[Rows[^1].Servers]));
        return new Report("placement", Conditions, [.. figures, .. memory]);
    }

    /// <summary>One thread, no storage: the matching itself.</summary>
    public static Task<Report> RunInMemory() => Task.FromResult(new Report("placement memory", ["One thread of one process, nothing stored."], InMemory()));

    private static string[] Conditions =>
    [
        $"A client process, one silo process and PostgreSQL (fsync, synchronous_commit and full_page_writes on) on {Environment.ProcessorCount} cores; "
            + $"{BenchRegion.VmsPerServer} VMs a server; 2,000 apps, spread over servers.",
        "Callers share calls as the SDK's PlacementCalls does: what they ask for while a call is under way goes together in the next.",
        "Meanwhile every server reports, each time something else: every 500 ms, at 25,000 servers every 2 s.",
        $"Every row: {WarmUp.TotalSeconds} s of warm-up ({FirstWarmUp.TotalSeconds} s for the first), then {Window.TotalSeconds} s that count; each starts with an empty table.",
        "Floor: bare group commit of the same rows by as many callers, through the silo's own store in one process.",
        $"Every row in {Rounds} rounds, the floor before, between and after them; the figures are means of the rounds, the 99th percentile the worst of them.",
    ];

    private static string Name(int servers) => $"r{servers}";

    private static async Task<BenchRegion> Prepare(PlacementStack stack, int servers)
    {
        var region = new BenchRegion(stack.Grains, Name(servers), servers);
        await region.Insert(stack.Source);
        await region.Join();
        return region;
    }

    /// <summary>The platform wakes up every server's grain by itself. That is part of its idle load, and waking them is not.</summary>
    private static async Task Awake(PlacementStack stack, int servers)
    {
        using var limit = new CancellationTokenSource(ActivationLimit);
        var management = stack.Grains.GetGrain<IManagementGrain>(0);
        while (await management.GetTotalActivationCount() < servers)
        {
            if (limit.IsCancellationRequested)
                throw new PreconditionException($"the silo did not wake up the grains of {servers} servers within {ActivationLimit.TotalSeconds} s.");
            await Task.Delay(200);
        }
    }

    private static async Task<IEnumerable<Figure>> Measure(PlacementStack stack, BenchRegion region, GroupCommit floor, Row row, bool first)
    {
        await Say($"measuring {row.What} ...");
        List<Measured> bare = [await Floor(stack, floor, row)];
        List<Measured> placing = [];
        List<Measured> releasing = [];
        for (var round = 1; round <= Rounds; round++)
        {
            await Round(stack, region, row, first && round == 1 ? FirstWarmUp : WarmUp, placing, releasing);
            bare.Add(await Floor(stack, floor, row));
        }
        var placed = Measured.Of(placing);
        return row.Figures(placed, Measured.Of(bare)).Concat(releasing.Count == 0 ? [] : row.Released(Measured.Of(releasing), placed));
    }

    private static async Task Round(
        PlacementStack stack, BenchRegion region, Row row, TimeSpan warmUp, List<Measured> placing, List<Measured> releasing)
    {
        var replicas = new Replicas(region, row.Callers);
        await using var reports = await Reports.Start(region);
        placing.Add(await replicas.Placing(row.Batch).Run(warmUp, Window, stack.Times));
        if (row.Releases)
        {
            await replicas.Stock(Stocked);
            releasing.Add(await replicas.Releasing().Run(WarmUp / 3, Window / 2, stack.Times));
        }
        await replicas.ReleaseAll();
    }

    /// <summary>The same rows without the platform; leaves an empty table.</summary>
    private static async Task<Measured> Floor(PlacementStack stack, GroupCommit floor, Row row)
    {
        var measured = await floor.Run(row.Callers, row.Batch, FloorWarmUp, FloorWindow, stack.Times);
        await using var command = stack.Source.CreateCommand("TRUNCATE container");
        await command.ExecuteNonQueryAsync();
        return measured;
    }

    private static async Task<IEnumerable<Figure>> Refusals(PlacementStack stack, BenchRegion region)
    {
        await Say("measuring refusals ...");
        var figures = new List<Figure>();
        await using (await Reports.Start(region, 0.85, 0.95))
        {
            var demand = Demands.Some();
            var same = await new Replicas(region, 256).Refused(() => demand).Run(WarmUp, Window / 2, stack.Times);
            var different = await new Replicas(region, 256).Refused(Demands.Any).Run(WarmUp, Window / 2, stack.Times);
            figures.AddRange(Refused("one demand", same));
            figures.AddRange(Refused("a demand of its own each", different));
        }
        return figures;
    }

    private static Figure[] Refused(string what, Measured measured) =>
    [
        new($"full region, 100,000 VMs, 256 callers, {what}: refusals", measured.Rate, "/s", null, "as placements: 60,000 /s", measured.Rate >= 60_000),
        Row.Latency("  p99", measured.P99, 10),
    ];

    private static Figure[] InMemory()
    {
        var small = new Decisions(Rows[0].Servers).Placing();
        var large = new Decisions(Rows[^1].Servers);
        var rate = large.Placing();
        large.Fill();
        var demand = new Demand(60_000, 16);
        var same = large.Refusing(() => demand);
        var different = large.Refusing(() => new Demand(Random.Shared.Next(60_000, 256_000), Random.Shared.Next(1, 250_000)));
        var uneven = new Decisions(Rows[^1].Servers);
        uneven.FillUnevenly();
        return
        [
            new("decisions in memory, 1,000 VMs", small, "/s"),
            new("decisions in memory, 100,000 VMs", rate, "/s", null, "500,000 /s", rate >= 500_000),
            new("  cost of one over that at 1,000 VMs", small / rate, "times", null, "at most 3", small / rate <= 3),
            new("refusals in memory, 100,000 VMs, one demand", same, "/s"),
            Different("half its servers full", different),
            Different("no two VMs alike", uneven.Refusing(Demands.Large)),
            new("decisions in memory, 100,000 VMs, a demand of its own each, most refused", uneven.Deciding(Demands.Any), "/s"),
        ];
    }

    private static Figure Different(string region, double rate) =>
        new($"refusals in memory, 100,000 VMs, a demand of its own each, {region}", rate, "/s", null, "60,000 /s", rate >= 60_000);

    private static Task Say(string what) => Console.Error.WriteLineAsync(what);
}
