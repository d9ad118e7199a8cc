using System.Diagnostics;

namespace Hosting.Benchmarks.Lifecycle;

/// <summary>How much a container's start through the whole platform costs over the engine's own work, interleaved in one run.</summary>
internal static class LifecycleBenchmark
{
    private const int Warmups = 2;
    private const int SingleRounds = 15;
    private const int BatchRounds = 3;
    private const int Batch = 20;
    // As many at once for each VM as the agent works on.
    private const int ParallelPerVm = 8;
    // Above the ports the agent publishes at.
    private const int BarePorts = 50_000;
    private static readonly TimeSpan IdleWindow = TimeSpan.FromSeconds(10);
    private static readonly string[] Vms = ["vm-1", "vm-2"];

    public static async Task<Report> Run()
    {
        await using var stack = await BenchStack.Start();
        await Console.Error.WriteLineAsync("measuring ...");
        using var first = await BareEngine.Connect(stack.Engine(Vms[0]), BarePorts);
        using var second = await BareEngine.Connect(stack.Engine(Vms[1]), BarePorts);
        await WarmUp(stack, first, second);
        var idle = await Idle(stack);
        var (bare, single) = await Single(stack, first);
        var (bareRate, rate) = await Batches(stack, [first, second]);
        var over = single - bare;
        return new Report("lifecycle",
            [
                $"Medians of {SingleRounds} single starts and {BatchRounds} batches of {Batch}, interleaved with bare create+start on the same engines.",
                $"Bare: the agent's own client, {ParallelPerVm} at a time on each of {Vms.Length} VMs, same image, limits and published port. {Environment.ProcessorCount} cores.",
            ],
            [
                new("PUT to first 200 through the gateway, 1 replica", single, "ms", bare),
                new("  over bare create+start", over, "ms", null, "at most 80 ms", over <= 80),
                new($"containers started a second, {Batch} replicas", rate, "/s", bareRate),
                new("  of bare's rate", rate / bareRate, "times", null, "at least 0.95", rate / bareRate >= 0.95),
                .. idle,
            ]);
    }

    private static async Task WarmUp(BenchStack stack, BareEngine first, BareEngine second)
    {
        for (var i = 0; i < Warmups; i++)
        {
            await PlatformSingle(stack);
            await first.Remove(await first.Start());
            // The second VM loads the image once; that is not what is measured.
            await stack.Put($"warm-{i}", 4);
            await stack.AllReady($"warm-{i}", 4);
            await second.Remove(await second.Start());
            await stack.Delete($"warm-{i}");
        }
    }

    private static async Task<(double Bare, double Platform)> Single(BenchStack stack, BareEngine engine)
    {
        var bare = new List<double>();
        var platform = new List<double>();
        for (var i = 0; i < SingleRounds; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            var name = await engine.Start();
            bare.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            await engine.Remove(name);
            platform.Add(await PlatformSingle(stack));
        }
        return (Median(bare), Median(platform));
    }

    private static async Task<double> PlatformSingle(BenchStack stack)
    {
        await stack.Admitting();
        var begun = Stopwatch.GetTimestamp();
        await stack.Put("single", 1);
        await stack.FirstAnswer("single");
        var took = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        await stack.Delete("single");
        return took;
    }

    private static async Task<(double Bare, double Platform)> Batches(BenchStack stack, BareEngine[] engines)
    {
        var bare = new List<double>();
        var platform = new List<double>();
        for (var i = 0; i < BatchRounds; i++)
        {
            bare.Add(await BareBatch(engines));
            await stack.Admitting();
            var begun = Stopwatch.GetTimestamp();
            await stack.Put("batch", Batch);
            await stack.AllReady("batch", Batch);
            platform.Add(Batch / Stopwatch.GetElapsedTime(begun).TotalSeconds);
            await stack.Delete("batch");
        }
        return (Median(bare), Median(platform));
    }

    private static async Task<double> BareBatch(BareEngine[] engines)
    {
        var begun = Stopwatch.GetTimestamp();
        var names = await Task.WhenAll(engines.Select(engine => Many(engine, Batch / engines.Length)));
        var rate = Batch / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        for (var i = 0; i < engines.Length; i++)
            await Task.WhenAll(names[i].Select(engines[i].Remove));
        return rate;
    }

    private static async Task<string[]> Many(BareEngine engine, int count)
    {
        using var gate = new SemaphoreSlim(ParallelPerVm);
        return await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            await gate.WaitAsync();
            try
            {
                return await engine.Start();
            }
            finally
            {
                gate.Release();
            }
        }));
    }

    private static async Task<IEnumerable<Figure>> Idle(BenchStack stack)
    {
        using var agent = stack.ProcessOf("agent-1");
        var before = agent.TotalProcessorTime;
        await Task.Delay(IdleWindow);
        agent.Refresh();
        var share = (agent.TotalProcessorTime - before) / IdleWindow * 100;
        return
        [
            Memory(stack, "silo-1", null),
            Memory(stack, "gateway-1", null),
            Memory(stack, "agent-1", 100),
            new Figure("idle agent's CPU", share, "% of a core", null, "at most 1 %", share <= 1),
        ];
    }

    private static Figure Memory(BenchStack stack, string name, int? limit)
    {
        using var process = stack.ProcessOf(name);
        var resident = process.WorkingSet64 / 1048576.0;
        return new Figure($"resident memory of idle {name}", resident, "MiB", null,
            limit is { } most ? $"at most {most} MiB" : null, limit is { } bound ? resident <= bound : null);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
