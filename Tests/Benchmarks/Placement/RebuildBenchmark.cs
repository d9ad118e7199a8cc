using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Grains.Placement;
using Hosting.Placement;
using Hosting.Servers;
using Npgsql;

namespace Hosting.Benchmarks.Placement;

/// <summary>How long a full region waits for its placement after the grain moved, and how long people wait for an explanation of it.</summary>
internal static class RebuildBenchmark
{
    private const string Region = "full";
    private const int Servers = 25_000;
    private const int ContainersOfAVm = 5;
    private const int Vms = Servers * BenchRegion.VmsPerServer;
    private const int Moves = 5;
    private const int WarmUps = 10;
    private const int Explanations = 30;
    private const int ReportsInACall = 1_000;
    private static readonly TimeSpan ActivationLimit = TimeSpan.FromSeconds(60);

    public static async Task<Report> Run()
    {
        await Say("starting PostgreSQL and a silo ...");
        await using var stack = await PlacementStack.Start(Region);
        var region = new BenchRegion(stack.Grains, Region, Servers);
        await Say($"writing {Servers:N0} servers, {Vms:N0} VMs and {Vms * ContainersOfAVm:N0} containers ...");
        await region.KeepSilent();
        await region.Insert(stack.Source);
        await Fill(stack.Source);
        await Awake(stack);
        await Say("measuring ...");
        var moves = await Rebuild(stack, region);
        var explained = await Explain(stack, region);
        return new Report("rebuild",
            [
                $"{Servers:N0} servers, {Vms:N0} VMs, {Vms * ContainersOfAVm:N0} containers in PostgreSQL (fsync on); one silo process; {Environment.ProcessorCount} cores.",
                $"Rebuild: from the first call after another silo took the region over until its answer, {Moves} times; then one placement is refused by 'offline'.",
                $"Explanations: {Explanations} requests for as many demands over HTTP, all servers heard from.",
            ],
            [
                new("rebuild after a move, median", moves[Moves / 2], "s"),
                new("rebuild after a move, slowest", moves[^1], "s", null, "at most 3 s", moves[^1] <= 3),
                new("explain, median", explained[Explanations / 2], "ms"),
                new("explain, slowest", explained[^1], "ms", null, "under 200 ms", explained[^1] < 200),
            ]);
    }

    private static async Task Fill(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand($"""
            INSERT INTO container (id, app, revision, region, server, vm, cpu_millis, memory_mib, state, healthy, endpoint, created_at, started_at)
            SELECT 'app-' || n % 2000 || '-' || n, 'app-' || n % 2000, 1, '{Region}', 'srv-' || n % {Servers}, 'vm-' || 1 + n / {Servers} % {BenchRegion.VmsPerServer},
              20, 32, 2, true, '10.222.0.2:' || 10000 + n % 20000, now(), now()
            FROM generate_series(0, {Vms * ContainersOfAVm - 1}) n
            """);
        command.CommandTimeout = 120;
        await command.ExecuteNonQueryAsync();
        await using var settle = source.CreateCommand("VACUUM ANALYZE container");
        settle.CommandTimeout = 120;
        await settle.ExecuteNonQueryAsync();
    }

    /// <summary>The platform wakes up every server's grain by itself; that is not what is measured.</summary>
    private static async Task Awake(PlacementStack stack)
    {
        using var limit = new CancellationTokenSource(ActivationLimit);
        var management = stack.Grains.GetGrain<IManagementGrain>(0);
        while (await management.GetTotalActivationCount() < Servers)
        {
            if (limit.IsCancellationRequested)
                throw new PreconditionException($"the silo did not wake up the grains of {Servers:N0} servers within {ActivationLimit.TotalSeconds} s.");
            await Task.Delay(200);
        }
    }

    private static async Task<double[]> Rebuild(PlacementStack stack, BenchRegion region)
    {
        var took = new double[Moves];
        for (var move = 0; move < Moves; move++)
        {
            await TakeOver(stack.Source, region.Placement);
            var begun = Stopwatch.GetTimestamp();
            await region.Placement.Release([]);
            took[move] = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            await Check(region.Placement);
        }
        Array.Sort(took);
        return took;
    }

    /// <summary>Raises the epoch as another silo's activation would, which makes this one step back at its next commit.</summary>
    private static async Task TakeOver(NpgsqlDataSource source, IPlacementGrain placement)
    {
        await placement.Release([]);
        await using var command = source.CreateCommand($"UPDATE region SET placement_epoch = placement_epoch + 1 WHERE name = '{Region}'");
        await command.ExecuteNonQueryAsync();
        try
        {
            await placement.Release([new ContainerRelease("nobody", ContainerState.Stopped, null)]);
        }
        catch (PlacementFencedException)
        {
            return;
        }
        throw new PreconditionException("the placement did not step back though its region was taken over.");
    }

    private static async Task Check(IPlacementGrain placement)
    {
        var result = await placement.Place(Demands.Request(Demands.Some(), 1));
        if (result.Placed.Count > 0 || result.Refusal?.Rules is not [{ Rule: PlacementRule.Offline, Count: Vms }])
            throw new PreconditionException($"after the rebuild no server was heard from, and yet: {result.Refusal?.Message ?? "a replica was placed"}.");
    }

    private static async Task<double[]> Explain(PlacementStack stack, BenchRegion region)
    {
        await region.Join();
        using var http = new HttpClient { BaseAddress = stack.Api };
        var took = new double[Explanations];
        for (var i = -WarmUps; i < Explanations; i++)
        {
            if (i % WarmUps == 0)
                await ReportAll(region);
            var ms = await Explain(http);
            if (i >= 0)
                took[i] = ms;
        }
        Array.Sort(took);
        return took;
    }

    private static async Task<double> Explain(HttpClient http)
    {
        var demand = Demands.Any();
        var body = new { cpuMillis = demand.CpuMillis, memoryMiB = Math.Max(4, demand.MemoryMiB), app = Demands.App(), region = Region };
        var begun = Stopwatch.GetTimestamp();
        using var answer = await http.PostAsJsonAsync("/v1/placements/explain", body);
        var explained = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonArray>();
        var took = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        if (explained is not [{ } only] || (int)only["vms"]! != Vms || (int)only["matching"]! == 0 || only["candidates"]!.AsArray().Count != 20)
            throw new PreconditionException("the explanation is not that of the whole region.");
        return took;
    }

    private static async Task ReportAll(BenchRegion region)
    {
        var now = TimeProvider.System.GetUtcNow();
        foreach (var chunk in Enumerable.Range(0, Servers).Chunk(ReportsInACall))
            await region.Placement.Report([.. chunk.Select(server => new ServerReport(
                region.Server(server).Name,
                new UtilizationReport { SampledAt = now, Utilization = new Utilization(Random.Shared.NextDouble() * 0.5, 0.2, 0), Vms = [] }))]);
    }

    private static Task Say(string what) => Console.Error.WriteLineAsync(what);
}
