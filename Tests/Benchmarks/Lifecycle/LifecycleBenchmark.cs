using System.Diagnostics;

namespace Hosting.Benchmarks.Lifecycle;

/// <summary>How much a container's start through the whole platform costs over the engine's own work, interleaved in one run.</summary>
internal static class LifecycleBenchmark
{
    private const int Warmups = 5;
    private const int SingleRounds = 15;
    private const int BatchRounds = 9;
    private const int Batch = 20;
    // As many at once as the agent works on in one VM.
    private const int Parallel = 8;
    // The runtime goes on compiling what was just used for a while; that is not idling.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan IdleWindow = TimeSpan.FromSeconds(30);

    public static async Task<Report> Run()
    {
        await using var stack = await BenchStack.Start();
        await Console.Error.WriteLineAsync("measuring ...");
        // The matching fills one VM before the next, so the platform's containers are on the same engine as the bare ones.
        using var engine = await BareEngine.Connect(stack.Engine(await stack.VmOf("hello")));
        await WarmUp(stack, engine);
        var idle = await Idle(stack);
        var (bare, single) = await Single(stack, engine);
        var (bareRate, started, ready) = await Batches(stack, engine);
        var over = single - bare;
        return new Report("lifecycle",
            [
                $"Medians of {SingleRounds} single starts and {BatchRounds} batches of {Batch}, interleaved with bare create+start on the same engines.",
                $"Bare: the agent's own client, {Parallel} at a time in batches, same image, limits and published port. {Environment.ProcessorCount} cores.",
            ],
            [
                new("PUT to first 200 through the gateway, 1 replica", single, "ms", bare),
                new("  over bare create+start", over, "ms", null, "at most 80 ms", over <= 80),
                new($"containers started a second, {Batch} replicas", started, "/s", bareRate),
                new("  of bare's rate", started / bareRate, "times", null, "at least 0.95", started / bareRate >= 0.95),
                new("containers ready a second (started, healthy, in every route)", ready, "/s"),
                .. idle,
            ]);
    }

    private static async Task WarmUp(BenchStack stack, BareEngine engine)
    {
        for (var i = 0; i < Warmups; i++)
        {
            await PlatformSingle(stack);
            await engine.Remove(await engine.Start());
            await PlatformBatch(stack);
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

    private static async Task<(double Bare, double Started, double Ready)> Batches(BenchStack stack, BareEngine engine)
    {
        var bare = new List<double>();
        var started = new List<double>();
        var ready = new List<double>();
        for (var i = 0; i < BatchRounds; i++)
        {
            bare.Add(await BareBatch(engine));
            var batch = await PlatformBatch(stack);
            started.Add(batch.Started);
            ready.Add(batch.Ready);
        }
        return (Median(bare), Median(started), Median(ready));
    }

    /// <summary>Started: until the engine has answered the last start, as the bare rate counts it. Ready: until the API says so.</summary>
    private static async Task<(double Started, double Ready)> PlatformBatch(BenchStack stack)
    {
        await stack.Admitting();
        var at = TimeProvider.System.GetUtcNow();
        var begun = Stopwatch.GetTimestamp();
        await stack.Put("batch", Batch);
        await stack.AllReady("batch", Batch);
        var ready = Stopwatch.GetElapsedTime(begun);
        var started = await stack.LastStart("batch") - at;
        await stack.Delete("batch");
        return (Batch / started.TotalSeconds, Batch / ready.TotalSeconds);
    }

    private static async Task<double> BareBatch(BareEngine engine)
    {
        var begun = Stopwatch.GetTimestamp();
        var names = await Many(engine, Batch);
        var rate = Batch / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        await Task.WhenAll(names.Select(engine.Remove));
        return rate;
    }

    private static async Task<BareContainer[]> Many(BareEngine engine, int count)
    {
        using var gate = new SemaphoreSlim(Parallel);
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
        await Task.Delay(Settling);
        agent.Refresh();
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
