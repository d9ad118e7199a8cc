using System.Runtime.InteropServices;
using Hosting.Benchmarks;
using Hosting.Benchmarks.Failover;
using Hosting.Benchmarks.Interference;
using Hosting.Benchmarks.Lifecycle;
using Hosting.Benchmarks.Placement;
using Hosting.Benchmarks.Reaction;
using Hosting.Benchmarks.Soak;

if (args is [PrimaryProgram.Word, .. var how])
    return PrimaryProgram.Run(pinned: how is [PrimaryProgram.PinnedWord]);

using var stop = new CancellationTokenSource();
var benchmarks = new Dictionary<string, Benchmark>(StringComparer.Ordinal)
{
    ["failover"] = new("how long the API is away, and whether requests fail, when a process dies or freezes: [FAULT...] [--runs N]",
        arguments => FailoverBenchmark.Run(arguments, stop.Token)),
    ["interference"] = new("what a server's primary feels of VMs full of hungry containers: [DRIVER...] [--rounds N] [--seconds N] [--load PERCENT]",
        arguments => InterferenceBenchmark.Run(arguments, stop.Token)),
    ["lifecycle"] = new("from PUT to the first answer, containers started a second, and what idle processes cost", LifecycleBenchmark.Run),
    ["placement"] = new("durable placements a second from another process, refusals, releases, and decisions in memory", PlacementBenchmark.Run),
    ["placement memory"] = new("of these, decisions and refusals in memory alone: seconds, and no database", PlacementBenchmark.RunInMemory),
    ["reaction"] = new("updates, kills, drains, hot and lost servers under load, beside Docker Swarm: [SCENARIO...] [--runs N]",
        arguments => ReactionBenchmark.Run(arguments, stop.Token)),
    ["rebuild"] = new("a region of 100,000 VMs after its placement moved, and how long an explanation of it takes", RebuildBenchmark.Run),
    ["soak"] = new("memory and errors of a silo with 2,000 simulated servers under churn: [--minutes M] [--servers N] [--containers N] [--seed N]",
        arguments => SoakBenchmark.Run(arguments, stop.Token)),
};

var option = Array.IndexOf(args, "-o");
var json = option >= 0 && args.ElementAtOrDefault(option + 1) == "json";
string[] words = json ? [.. args[..option], .. args[(option + 2)..]] : args;
if (words is [])
{
    foreach (var (name, benchmark) in benchmarks)
        Console.WriteLine($"{name,-18} {benchmark.About}");
    return 0;
}
var chosen = benchmarks.Keys.Where(name => words.Take(name.Split(' ').Length).SequenceEqual(name.Split(' '))).MaxBy(name => name.Length);
if (chosen is null)
{
    await Console.Error.WriteLineAsync($"There is no benchmark '{string.Join(' ', words)}'. There are: {string.Join(", ", benchmarks.Keys)}; -o json for programs.");
    return 2;
}
// What was brought up has to be taken down first.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
try
{
    var arguments = words[chosen.Split(' ').Length..];
    using var interrupt = benchmarks[chosen].Stops ? PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop) : null;
    using var terminate = benchmarks[chosen].Stops ? PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop) : null;
    var report = await benchmarks[chosen].Run(arguments);
    report.Print(json);
    return 0;
}
catch (PreconditionException failure)
{
    await Console.Error.WriteLineAsync($"Not measured: {failure.Message}");
    return 1;
}
catch (UsageException wrong)
{
    await Console.Error.WriteLineAsync(wrong.Message);
    return 2;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Interrupted.");
    return 130;
}
