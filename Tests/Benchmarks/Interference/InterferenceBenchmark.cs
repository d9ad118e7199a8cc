using System.Globalization;
using Hosting.HostAgent.Utilization;

namespace Hosting.Benchmarks.Interference;

/// <summary>
/// What the primary of a server feels of VMs full of hungry containers: its latency and its wait for a CPU, alone and beside them, as
/// the agent keeps them and at the weight that everything has.
/// </summary>
internal static class InterferenceBenchmark
{
    private const double MostBusy = 0.10;
    private const int SecondsToStart = 60;

    public static async Task<Report> Run(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var options = InterferenceOptions.Parse(arguments);
        if (Environment.UserName != "root")
            throw new PreconditionException("VMs need root.");
        if (options.Drivers.Contains("qemu") && !File.Exists(Path.Combine(HungryVms.VmImage, "manifest")))
            throw new PreconditionException($"there is no image for VMs of the driver qemu: ./infra/vm-image {HungryVms.VmImage}");
        var seconds = options.Drivers.Count * (SecondsToStart + (options.Rounds * options.Loads.Count * Enum.GetValues<Neighbours>().Length * (options.Seconds + 0.8)));
        await Say($"{options.Rounds} rounds beside {string.Join(" and ", options.Drivers)}: about {Math.Ceiling(seconds / 60):0} minutes.");
        await CheckQuiet(cancellation);
        using var primary = await Primary.Start(options.Pinned, cancellation);
        var results = new List<Results>();
        var figures = new List<Figure>();
        foreach (var driver in options.Drivers)
            figures.AddRange(await Beside(driver, primary, options, results, cancellation));
        if (results.Select(one => one.Others).Order().ElementAt(results.Count / 2) is > MostBusy and var others)
            throw new PreconditionException(string.Create(CultureInfo.InvariantCulture, $"others used {others * 100:0} % of this machine meanwhile: at most {MostBusy * 100:0} % leaves figures that mean something."));
        return new Report("interference", Conditions(options), [.. results.SelectMany(one => one.Figures()), .. figures]) { Peer = "alone" };
    }

    private static async Task<IReadOnlyList<Figure>> Beside(string driver, Primary primary, InterferenceOptions options, List<Results> all, CancellationToken cancellation)
    {
        await Say($"starting {driver} ...");
        await using var vms = Bare.Names.Contains(driver) ? null : await HungryVms.Start(driver, options.Reserve, primary.Group, cancellation);
        await using var crowd = vms is null ? Bare.Start(driver) : new Crowd(vms.Group, () => Task.CompletedTask);
        var trial = new Trial(primary, crowd, vms, options.Seconds);
        var results = options.Loads.Select(load => (Load: load, Results: new Results(driver, load))).ToList();
        all.AddRange(results.Select(one => one.Results));
        // What runs for the first time compiles.
        await trial.Round(options.Loads[0], 0, cancellation);
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (load, result) in results)
            {
                result.Add(await trial.Round(load, round, cancellation));
                await Say(string.Create(CultureInfo.InvariantCulture, $"  {round}/{options.Rounds} {driver} {load * 100:0} %: {result.Line()}"));
            }
        }

        return vms is null ? [] : await Relief.Measure(driver, vms, crowd, primary, cancellation);
    }

    private static async Task CheckQuiet(CancellationToken cancellation)
    {
        var before = UtilizationSampler.MachineCpu(await File.ReadAllBytesAsync("/proc/stat", cancellation));
        await Task.Delay(TimeSpan.FromSeconds(3), cancellation);
        var now = UtilizationSampler.MachineCpu(await File.ReadAllBytesAsync("/proc/stat", cancellation));
        var busy = (now.Busy - before.Busy) / (now.Total - before.Total);
        if (busy > MostBusy)
            throw new PreconditionException(string.Create(CultureInfo.InvariantCulture, $"this machine is busy with something else ({busy * 100:0} % of its CPU): at most {MostBusy * 100:0} % leaves figures that mean something."));
    }

    private static IReadOnlyList<string> Conditions(InterferenceOptions options) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"The server is this machine, {Environment.ProcessorCount} cores. The primary answers requests of {PrimaryProgram.Service.TotalMilliseconds:0} ms of CPU on as many threads; they come at random times (Poisson), open loop,"),
        $"  and latency counts from when a request was due. Its load is the share of all cores that its requests take. {(options.Pinned ? "Each of its threads is bound to a core of its own." : "Its threads run on any core.")}",
        $"Beside it: two VMs with half each of the cores{(options.Reserve > 0 ? $" but a reserve of {options.Reserve} %" : "")}, in each one container that computes, one that goes through 300 MiB, one that writes and flushes 64 MiB;",
        "  the agent without a control plane, thresholds 1. Alone: they stand still. Unprotected: their group at the default weight.",
        $"{options.Rounds} rounds of windows of {options.Seconds} s one right after the other with the same requests; medians of the rounds. Times alone: the median of the ratios within a round;",
        "  beside it, as alone, the same of two windows that are both alone: as far as that is from 1, it is noise.",
        "Relief: the primary takes 700 MiB where the agent's limit leaves 300; from when the server is over that limit until it is below again, 10 s at most.",
        "Wait: time that the primary's threads could have run and waited for a CPU (schedstat). Harvested: CPU of the VMs, of all that the primary left, whoever else used it;",
        "  and of what was idle while the VMs stood still: the rest went to the kernel, to this benchmark, or was taken from the whole machine.",
    ];

    private static Task Say(string line) => Console.Error.WriteLineAsync(line);
}
