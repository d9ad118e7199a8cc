using Hosting.Benchmarks;
using Hosting.Benchmarks.Lifecycle;
using Hosting.Benchmarks.Placement;

var benchmarks = new Dictionary<string, (string About, Func<Task<Report>> Run)>(StringComparer.Ordinal)
{
    ["lifecycle"] = ("from PUT to the first answer, containers started a second, and what idle processes cost", LifecycleBenchmark.Run),
    ["placement"] = ("durable placements a second from another process, refusals, releases, and decisions in memory", PlacementBenchmark.Run),
    ["placement memory"] = ("of these, decisions and refusals in memory alone: seconds, and no database", PlacementBenchmark.RunInMemory),
    ["rebuild"] = ("a region of 100,000 VMs after its placement moved, and how long an explanation of it takes", RebuildBenchmark.Run),
};

var json = args is [.., "-o", "json"];
var names = json ? args[..^2] : args;
if (names is [])
{
    foreach (var (name, benchmark) in benchmarks)
        Console.WriteLine($"{name,-18} {benchmark.About}");
    return 0;
}
var chosen = string.Join(' ', names);
if (!benchmarks.TryGetValue(chosen, out var found))
{
    await Console.Error.WriteLineAsync($"There is no benchmark '{chosen}'. There are: {string.Join(", ", benchmarks.Keys)}; -o json for programs.");
    return 2;
}
try
{
    var report = await found.Run();
    report.Print(json);
    return 0;
}
catch (PreconditionException failure)
{
    await Console.Error.WriteLineAsync($"Not measured: {failure.Message}");
    return 1;
}
