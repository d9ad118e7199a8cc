using System.Diagnostics;
using System.Globalization;

namespace Hosting.Benchmarks.Soak;

/// <summary>Days in minutes: deployments, failures and agents that come and go on a full silo, and what that does to its memory and its log.</summary>
internal static class SoakBenchmark
{
    private const double MostGrowth = 0.05;
    private const int MostErrorsShown = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    public static async Task<Report> Run(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var options = SoakOptions.Parse(arguments);
        await Say($"seed {options.Seed}: {options.Servers} servers, {options.Containers} containers, {options.Minutes} minutes of churn after a start of some minutes.");
        await using var stack = await BenchStack.Start();
        await using var pool = await SimulatedPool.Connect(stack.Hub, options.Servers, cancellation);
        await Say("all servers are connected; deploying 200 apps ...");
        var churn = new Churn(stack, pool, options);
        var deploying = Stopwatch.GetTimestamp();
        await churn.Deploy();
        await Converge(pool, churn, cancellation);
        var deployed = Stopwatch.GetElapsedTime(deploying);
        await Say($"all containers run after {deployed.TotalSeconds:0} s; churning ...");
        var samples = await Churn(stack, pool, churn, TimeSpan.FromMinutes(options.Minutes), cancellation);
        var calming = Stopwatch.GetTimestamp();
        await Converge(pool, churn, cancellation);
        var calmed = Stopwatch.GetElapsedTime(calming);
        var errors = Errors(stack);
        foreach (var error in errors.Take(MostErrorsShown))
            await Say(error);
        return new Report("soak", Conditions(options), [.. Figures(options, deployed, samples, calmed, errors.Count), new("streams of agents lost without a fault of ours", pool.Lost, "")]);
    }

    private static IReadOnlyList<string> Conditions(SoakOptions options) =>
    [
        $"Seed {options.Seed}. One silo, one gateway and PostgreSQL beside the {options.Servers} simulated agents on {Environment.ProcessorCount} cores; each agent reports every 500 ms, of 4 VMs.",
        "Two things a second happen: an app is scaled or updated, a container fails, an agent is started again, or is silent for 5 s.",
        "Memory is the silo's resident size; growth compares the median of the last quarter with that of the second.",
    ];

    private static async Task Converge(SimulatedPool pool, Churn churn, CancellationToken cancellation)
    {
        var (since, shown) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        while (pool.Running != churn.Wanted)
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
                throw new PreconditionException($"{pool.Running} of {churn.Wanted} containers ran after {Patience.TotalMinutes} minutes.");
            if (Stopwatch.GetElapsedTime(shown) > Settled)
            {
                await Say($"  {pool.Running} of {churn.Wanted} containers run; {pool.Lost} streams were lost so far");
                shown = Stopwatch.GetTimestamp();
            }
            await Task.Delay(200, cancellation);
        }
    }

    private static async Task<List<Sample>> Churn(BenchStack stack, SimulatedPool pool, Churn churn, TimeSpan howLong, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(howLong);
        var running = churn.Run(stop.Token);
        var samples = new List<Sample>();
        using var silo = stack.ProcessOf("silo-1");
        var next = Settled;
        while (!running.IsCompleted)
        {
            silo.Refresh();
            samples.Add(new Sample(Stopwatch.GetTimestamp(), silo.WorkingSet64, silo.TotalProcessorTime, pool.Messages));
            if (samples.Count * SampleEvery > next)
            {
                next += Settled;
                await Say(string.Create(CultureInfo.InvariantCulture, $"  {samples.Count * SampleEvery.TotalSeconds / 60:0.0} min: silo {samples[^1].Mebibytes:0} MiB"));
            }
            await Task.WhenAny(running, Task.Delay(SampleEvery, CancellationToken.None));
        }
        cancellation.ThrowIfCancellationRequested();
        await running;
        return samples;
    }

    private static IReadOnlyList<Figure> Figures(SoakOptions options, TimeSpan deployed, List<Sample> samples, TimeSpan calmed, int errors)
    {
        var quarter = Math.Max(1, samples.Count / 4);
        var (early, late) = (Median(samples.Skip(quarter).Take(quarter)), Median(samples.TakeLast(quarter)));
        var messages = (samples[^1].Messages - samples[0].Messages) / Stopwatch.GetElapsedTime(samples[0].At, samples[^1].At).TotalSeconds;
        var cores = (samples[^1].Processor - samples[0].Processor) / Stopwatch.GetElapsedTime(samples[0].At, samples[^1].At);
        return
        [
            new("all containers placed and running", deployed.TotalSeconds, "s"),
            new("silo's memory, second quarter", early, "MiB"),
            new("  last quarter", late, "MiB"),
            new("  growth", (late / early) - 1, "", null, "at most 0.05", (late / early) - 1 <= MostGrowth),
            new("silo's processor", cores, "cores"),
            new("messages between agents and the silo", messages, "/s"),
            new("  the silo's processor for each", cores / messages * 1e6, "us"),
            new("all as wanted after the churn", calmed.TotalSeconds, "s"),
            new("errors in the silo's log", errors, "", null, "none", errors == 0),
        ];
    }

    private static double Median(IEnumerable<Sample> samples)
    {
        var sorted = samples.Select(s => s.Mebibytes).Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static IReadOnlyList<string> Errors(BenchStack stack) =>
        [.. File.ReadLines(Path.Combine(stack.Home, "log", "silo-1.log")).Where(line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal))];

    private static Task Say(string line) => Console.Error.WriteLineAsync(line);

    /// <summary>What the silo had and had used at a time.</summary>
    private sealed record Sample(long At, long Bytes, TimeSpan Processor, long Messages)
    {
        public double Mebibytes => Bytes / 1024.0 / 1024;
    }
}
