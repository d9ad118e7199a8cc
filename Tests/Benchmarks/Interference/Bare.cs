using System.Diagnostics;
using System.Globalization;

namespace Hosting.Benchmarks.Interference;

/// <summary>The floor: hungry processes in a control group of the lowest class, without VM, engine and agent.</summary>
internal static class Bare
{
    private const string Script = """echo 0 > "$1/cgroup.procs" || exit 1; [ "$2" = "$1" ] || echo 0 > "$2/cgroup.procs"; eval "$3" """;

    private const int MostTries = 50;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Names of the kinds, as the benchmark takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Hunger.All.Select(one => $"bare-{one.Name}")];

    /// <summary>Three of a kind for each core.</summary>
    public static Crowd Start(string name)
    {
        var hunger = Hunger.All[Names.ToList().IndexOf(name)];
        var group = $"hosting-bench-{Environment.ProcessId}.idle";
        var (cpu, account) = (Crowd.At("cpu", group), Crowd.Account(group));
        cpu.Create();
        account.Create();
        if (cpu.SetLowestClass() is { } notInForce)
            throw new PreconditionException($"there is no lowest class: {notInForce}");
        var files = Directory.CreateTempSubdirectory("hosting-bench-").FullName;
        var all = Enumerable.Range(0, 3 * Environment.ProcessorCount).Select(i => Start(cpu.Path, account.Path, hunger, Path.Combine(files, i.ToString(CultureInfo.InvariantCulture)))).ToList();
        return new Crowd(group, async () =>
        {
            all.ForEach(one => one.Kill(entireProcessTree: true));
            foreach (var one in all)
            {
                await one.WaitForExitAsync();
                one.Dispose();
            }

            // What they had started last may live a moment longer.
            for (var tries = 0; tries < MostTries && !(cpu.TryRemove() & account.TryRemove()); tries++)
            {
                await Crowd.Signal("-KILL", cpu.Processes());
                await Task.Delay(Between);
            }

            Directory.Delete(files, recursive: true);
        });
    }

    private static Process Start(string cpu, string account, Hunger hunger, string file) =>
        Process.Start(new ProcessStartInfo("sh", ["-c", Script, hunger.Name, cpu, account, hunger.Script]) { Environment = { ["FILE"] = file } })!;
}
