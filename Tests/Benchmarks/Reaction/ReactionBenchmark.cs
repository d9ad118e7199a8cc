using System.Globalization;

namespace Hosting.Benchmarks.Reaction;

/// <summary>How fast the platform reacts to what happens to it, under constant load and beside Docker Swarm where that has an equal.</summary>
internal static class ReactionBenchmark
{
    private const int SecondsAround = 60;
    private static readonly string[] Names = ["update", "container", "drain", "hot", "engine", "server"];

    public static async Task<Report> Run(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var options = ReactionOptions.Parse(arguments, Names);
        var seconds = SecondsAround + (options.Runs * Scenarios(null, null, null).Where(s => options.Scenarios.Contains(s.Name)).Sum(s => s.Seconds));
        await Say($"{options.Runs} runs of {string.Join(", ", options.Scenarios)}: about {Minutes(seconds)} minutes, {Minutes(3 * seconds)} at most.");
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(TimeSpan.FromSeconds(3 * seconds));
        try
        {
            return await Measure(options, bound.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new PreconditionException($"it took longer than {Minutes(3 * seconds)} minutes.");
        }
    }

    private static async Task<Report> Measure(ReactionOptions options, CancellationToken cancellation)
    {
        await using var stack = await BenchStack.Start("--servers", "2");
        cancellation.ThrowIfCancellationRequested();
        var besides = Scenarios(null, null, null).Any(s => s.Sides.Count > 1 && options.Scenarios.Contains(s.Name));
        using var swarm = !besides ? null
            : await Swarm.Start(Platform.VmOf(stack, 2, 1), Platform.VmOf(stack, 2, 2), Path.Combine(stack.Home, "images", "hello.tar"));
        using var platform = new Platform(stack);
        await platform.Prepare();
        using var bare = await BareRuns.Connect(stack);
        var scenarios = Scenarios(platform, swarm, bare).Where(s => options.Scenarios.Contains(s.Name)).ToList();
        await RunOnce(scenarios, cancellation);
        var results = scenarios.ConvertAll(scenario => new Results(scenario));
        for (var run = 1; run <= options.Runs; run++)
        {
            for (var i = 0; i < scenarios.Count; i++)
                await RunSides(scenarios[i], results[i], $"{run}/{options.Runs}", cancellation);
        }
        return new Report("reaction", Conditions(options), [.. results.SelectMany(r => r.Figures())]) { Peer = "Swarm" };
    }

    /// <summary>What runs for the first time compiles, and fetches its image.</summary>
    private static async Task RunOnce(IEnumerable<Scenario> scenarios, CancellationToken cancellation)
    {
        await Say("warming up ...");
        foreach (var side in scenarios.Take(1).SelectMany(scenario => scenario.Sides))
            await side.Run(cancellation);
    }

    private static async Task RunSides(Scenario scenario, Results results, string progress, CancellationToken cancellation)
    {
        var line = new List<string>();
        if (scenario.Bare is { } bare)
        {
            var took = await bare();
            results.AddBare(took);
            line.Add($"bare engine {Text(took)}");
        }
        for (var side = 0; side < scenario.Sides.Count; side++)
        {
            var outcome = await scenario.Sides[side].Run(cancellation);
            results.Add(side, outcome);
            var times = string.Join(", ", outcome.Times.Select(Text));
            line.Add($"{scenario.Sides[side].Name} {times}{Failures(outcome)}");
        }
        await Say($"  {progress} {scenario.Name}: {string.Join("; ", line)}");
    }

    /// <summary>How many failed, and of what, the most frequent first.</summary>
    private static string Failures(Outcome outcome) => outcome.Failures.Count == 0 ? ""
        : $" ({outcome.Failures.Count} of {outcome.Sent} failed: {string.Join(", ", outcome.Failures.CountBy(why => why).OrderByDescending(why => why.Value).Select(why => $"{why.Value} times {why.Key}"))})";

    /// <summary>Without sides, only to know of them.</summary>
    private static IReadOnlyList<Scenario> Scenarios(Platform? ours, Swarm? swarm, BareRuns? bare)
    {
        var peer = new SwarmRuns(swarm!);
        return
        [
            new("update", [new("start-first update of 4")], [new("ours", c => ours!.Update(c)), new("Swarm", peer.Update)], 16)
            {
                Bare = () => bare!.OneByOne(),
            },
            new("container", [new("killed container")],
                [new("ours", c => ours!.KillContainer(c)), new("Swarm", c => peer.KillContainer(null, c)),
                    new("restart delay 0", c => peer.KillContainer(TimeSpan.Zero, c))], 22)
            {
                Bare = () => bare!.Restart(),
            },
            new("drain", [new("drained node with 4")], [new("ours", c => ours!.Drain(c)), new("Swarm", peer.Drain)], 14)
            {
                Bare = () => bare!.Together(),
            },
            new("hot", [new("hot server: admits none", 1), new("hot server: 4 have left", 10),
                new("hot server: 4 elsewhere", 10)], [new("ours", c => ours!.HotServer(c))], 16),
            new("engine", [new("killed engine with 4")], [new("ours", c => ours!.KillEngine(c))], 12),
            new("server", [new("lost server with 2 of 4")], [new("ours", c => ours!.LoseServer(c))], 20) { NoneFails = false },
        ];
    }

    private static IReadOnlyList<string> Conditions(ReactionOptions options) =>
    [
        $"{options.Runs} runs of each, sides in turn; p99 by nearest rank, so up to 100 runs the slowest. {Environment.ProcessorCount} cores.",
        $"{ConstantLoad.Rate} requests a second, each on a connection of its own: ours through the gateway, Swarm's dealt out over the",
        "  ports that its tasks publish (host mode) by a client that hears the engines' events, as ingress needs IPVS in the kernel.",
        "Swarm's two nodes are the two VMs of server 2, ours those of server 1: same engine, control groups and shares of the machine.",
        "Bare engine: create, start and first answer of as many containers on server 1, one by one or together, or the restart of a killed one; no load.",
        "Over when as many replicas answer as before, new ones where the old have to go, and those no more.",
        "Failed: not 2xx, or no answer in 15 s. On Swarm's side also what finds no task to ask.",
    ];

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    private static string Minutes(int seconds) => Math.Ceiling(seconds / 60.0).ToString(CultureInfo.InvariantCulture);

    private static Task Say(string line) => Console.Error.WriteLineAsync(line);
}
