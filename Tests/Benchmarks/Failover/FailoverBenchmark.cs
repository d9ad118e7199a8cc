using System.Diagnostics;
using System.Globalization;
using Hosting.Benchmarks.Reaction;
using Hosting.Support.Faults;

namespace Hosting.Benchmarks.Failover;

/// <summary>How long the platform is away for those who deploy, and whether app requests fail, when one of its processes dies or freezes.</summary>
internal static class FailoverBenchmark
{
    private const string App = "steady";
    private const int Silos = 3;
    private const int DefaultRuns = 10;
    private const int SecondsEach = 25;
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    // The development stack's supervisor pauses for longer each time that a process lives for less than 10 s.
    private static readonly TimeSpan Lived = TimeSpan.FromSeconds(11);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private static readonly Fault[] Faults =
    [
        new("silo-killed", "one of 3 silos killed", run => $"kill silo-{1 + (run % Silos)}", IsBounded: true),
        new("silo-frozen", "one of 3 silos frozen for 8 s", run => $"freeze silo-{1 + (run % Silos)} --for 8", IsBounded: true),
        new("silo-alone", "one of 3 silos cut off from the others for 8 s", run => $"cut silo-{1 + (run % Silos)} peers --for 8"),
        new("postgres-killed", "PostgreSQL killed", _ => "kill postgres", Before: Lived),
        new("agent-killed", "an agent killed", run => $"kill agent-{1 + (run % 2)}"),
    ];

    public static async Task<Report> Run(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var options = ReactionOptions.Parse(arguments, [.. Faults.Select(f => f.Name), Promotion.Name], DefaultRuns);
        await Say($"{options.Runs} runs of {string.Join(", ", options.Scenarios)}: about {1 + (options.Runs * options.Scenarios.Count * SecondsEach / 60)} minutes.");
        await using var stack = await BenchStack.Start("--isolated", "--servers", "2", "--silos", "3");
        await stack.Put(App, 2);
        await stack.AllReady(App, 2);
        var results = new List<(Fault Fault, List<Away> Runs)>();
        foreach (var fault in Faults.Where(f => options.Scenarios.Contains(f.Name)))
        {
            var runs = new List<Away>();
            for (var run = 0; run < options.Runs; run++)
                runs.Add(await Measure(stack, fault, run, cancellation));
            results.Add((fault, runs));
        }
        // There is one standby, so it takes over once.
        if (options.Scenarios.Contains(Promotion.Name))
            results.Add((Promotion, [await Measure(stack, Promotion, 0, cancellation)]));
        return new Report("failover", Conditions, [.. results.SelectMany(r => Figures(r.Fault, r.Runs))]);
    }

    private static Fault Promotion { get; } = new("postgres-failover", "PostgreSQL killed for good, its standby takes over", _ => "failover");

    private static IReadOnlyList<string> Conditions =>
    [
        $"3 silos, PostgreSQL with a standby, each in a network of its own; a gateway; 2 servers. {Environment.ProcessorCount} cores.",
        "API away: longest time in which no GET /v1/apps, asked every 50 ms, was answered within 1 s. Deployments away: longest time between two acknowledged",
        $"  PUTs of one app, of 4 that are deployed all the time. App requests: {ConstantLoad.Rate} a second through the gateway.",
        $"Before PostgreSQL is killed nothing is broken for {Lived.TotalSeconds:0} s, before anything else for {Calm.TotalSeconds:0} s. p99 by nearest rank, so up to 100 runs the longest.",
    ];

    private static async Task<Away> Measure(BenchStack stack, Fault fault, int run, CancellationToken cancellation)
    {
        await using var load = ConstantLoad.Start(() => stack.Gateway, $"{App}.localhost");
        await using var stream = new DeployStream(stack.Gateway);
        await using var probe = new ApiProbe(stack.Gateway);
        await Task.Delay(fault.Before ?? Calm, cancellation);
        stream.Reset();
        probe.Outage.Reset();
        var sent = load.After(0).Count;
        await stack.Break(fault.Command(run));
        await Settle(stack, stream, cancellation);
        await stream.Stop();
        await probe.Stop();
        var answers = (await load.Stop()).Skip(sent).ToList();
        var lost = await stream.Lost();
        if (lost.Count > 0)
            throw new PreconditionException($"{fault.Name}: what was acknowledged is lost: {string.Join("; ", lost)}");
        var away = new Away(probe.Outage.Longest, stream.LongestOutage, answers.Count(a => a.By is null), answers.Count);
        await Say(string.Create(CultureInfo.InvariantCulture,
            $"  {fault.Command(run)}: API {away.Api.TotalSeconds:0.0} s, deployments {away.Deployments.TotalSeconds:0.0} s, {away.Failed} of {away.Sent} requests failed"));
        return away;
    }

    /// <summary>Until every app of the stream has been deployed without a break for a while, and every server takes containers.</summary>
    private static async Task Settle(BenchStack stack, DeployStream stream, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        var acknowledged = stream.Acknowledged;
        await BenchStack.Until("calm after the fault", async () =>
        {
            if (stream.Acknowledged < acknowledged + 20 || Stopwatch.GetElapsedTime(since) < Calm)
                return false;
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return await stack.AllAdmitting();
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, LookEvery);
    }

    private static IEnumerable<Figure> Figures(Fault fault, List<Away> runs)
    {
        yield return new Figure($"{fault.What}: API away, p50", Percentile(runs, r => r.Api, 50), "s");
        var (api, deployments) = (Percentile(runs, r => r.Api, 99), Percentile(runs, r => r.Deployments, 99));
        yield return new Figure("  p99", api, "s", null, Goal(fault), fault.IsBounded ? api <= AtMost.TotalSeconds : null);
        yield return new Figure("  deployments away, p50", Percentile(runs, r => r.Deployments, 50), "s");
        yield return new Figure("  p99", deployments, "s", null, Goal(fault), fault.IsBounded ? deployments <= AtMost.TotalSeconds : null);
        var failed = runs.Sum(r => r.Failed);
        yield return new Figure($"  failed of {runs.Sum(r => r.Sent)} app requests", failed, "", null, "none", failed == 0);
    }

    private static string? Goal(Fault fault) => fault.IsBounded ? string.Create(CultureInfo.InvariantCulture, $"at most {AtMost.TotalSeconds} s") : null;

    /// <summary>By nearest rank, in seconds.</summary>
    private static double Percentile(List<Away> runs, Func<Away, TimeSpan> which, int percentile)
    {
        var sorted = runs.Select(run => which(run).TotalSeconds).Order().ToList();
        return sorted[(int)Math.Ceiling(sorted.Count * percentile / 100.0) - 1];
    }

    private static Task Say(string line) => Console.Error.WriteLineAsync(line);

    /// <summary>What is broken.</summary>
    /// <param name="Name">To ask for it.</param>
    /// <param name="What">For people.</param>
    /// <param name="Command">Arguments of <c>infra/chaos</c> in a run.</param>
    /// <param name="IsBounded">Whether there is a goal for how long the API is away.</param>
    /// <param name="Before">How long the stack runs untroubled before it; <see cref="Calm"/> when it is not said.</param>
    private sealed record Fault(string Name, string What, Func<int, string> Command, bool IsBounded = false, TimeSpan? Before = null);

    /// <summary>What one run came to.</summary>
    private sealed record Away(TimeSpan Api, TimeSpan Deployments, int Failed, int Sent);
}
