using System.Globalization;

namespace Hosting.Benchmarks.Interference;

/// <summary>The rounds of one driver and one load, and the figures that they make: medians over the rounds, ratios within each.</summary>
internal sealed class Results(string driver, double load)
{
    private const double MostLatency = 1.3;
    private const double MostWait = 3;
    private const double LeastHarvest = 0.85;
    private readonly List<IReadOnlyDictionary<Neighbours, Measured>> _rounds = [];

    public void Add(IReadOnlyDictionary<Neighbours, Measured> round) => _rounds.Add(round);

    /// <summary>Share of the server's CPU that others used while the primary was alone.</summary>
    public double Others => Median(Neighbours.Alone, one => one.Others);

    public IEnumerable<Figure> Figures()
    {
        yield return new Figure(Name("CPU used by the primary"), Median(Neighbours.Ours, one => one.Used) * 100, "%", Median(Neighbours.Alone, one => one.Used) * 100);
        foreach (var percent in new[] { 50, 99 })
            yield return new Figure(Name($"p{percent}"), Median(Neighbours.Ours, one => one.Percentile(percent)), "ms", Median(Neighbours.Alone, one => one.Percentile(percent)));
        yield return new Figure(Name("p99.9 of all rounds"), OfAll(Neighbours.Ours), "ms", OfAll(Neighbours.Alone));
        yield return new Figure(Name("wait a second"), Median(Neighbours.Ours, one => one.Wait), "ms", Median(Neighbours.Alone, one => one.Wait));
        yield return AtMost("p99 / alone", one => one.Percentile(99), MostLatency);
        yield return AtMost("wait / alone", one => one.Wait, MostWait);
        var harvested = Median(Neighbours.Ours, one => one.Harvested);
        yield return new Figure(Name("harvested"), harvested * 100, "%", Goal: string.Create(CultureInfo.InvariantCulture, $"at least {LeastHarvest * 100:0} %"), Reached: harvested >= LeastHarvest);
        yield return new Figure(Name("harvested, of what is idle alone"), Median(_rounds.Select(OfIdle)) * 100, "%");
        yield return new Figure(Name("idle alone, of the server"), Median(_rounds.Select(IdleAlone)) * 100, "%");
        yield return new Figure(Name("unprotected p99"), Median(Neighbours.Unprotected, one => one.Percentile(99)), "ms", Median(Neighbours.Alone, one => one.Percentile(99)));
        yield return new Figure(Name("unprotected p99 / alone"), Ratio(Neighbours.Unprotected, one => one.Percentile(99)), "x");
        yield return new Figure(Name("unprotected wait / alone"), Ratio(Neighbours.Unprotected, one => one.Wait), "x");
    }

    public string Line() => string.Join("; ", _rounds[^1].OrderBy(one => one.Key).Select(one => string.Create(CultureInfo.InvariantCulture,
        $"{one.Key} used {one.Value.Used:0.00} p99 {one.Value.Percentile(99):0.00} ms wait {one.Value.Wait:0.0} ms/s harvested {one.Value.Harvested:0.00} others {one.Value.Others:0.00}")));

    /// <summary>Beside it the same of two windows that are both alone: as far as that is from 1, it is noise.</summary>
    private Figure AtMost(string what, Func<Measured, double> figure, double most)
    {
        var ratio = Ratio(Neighbours.Ours, figure);
        return new Figure(Name(what), ratio, "x", Ratio(Neighbours.AloneAgain, figure),
            string.Create(CultureInfo.InvariantCulture, $"at most {most} x"), ratio <= most);
    }

    /// <summary>
    /// What the neighbours used, of what is idle where they stand still. Whoever asks the primary, the kernel's own work and the machine's host use CPU in either case:
    /// the primary does not leave that idle.
    /// </summary>
    private static double OfIdle(IReadOnlyDictionary<Neighbours, Measured> round) => round[Neighbours.Ours].HarvestedOfServer / Math.Max(0.01, IdleAlone(round));

    private static double IdleAlone(IReadOnlyDictionary<Neighbours, Measured> round) => (round[Neighbours.Alone].Idle + round[Neighbours.AloneAgain].Idle) / 2;

    /// <summary>A window has too few requests for it.</summary>
    private double OfAll(Neighbours neighbours) => Measured.Percentile([.. _rounds.SelectMany(round => round[neighbours].Primary.Latencies).Order()], 99.9);

    private double Ratio(Neighbours neighbours, Func<Measured, double> figure) =>
        Median(_rounds.Select(round => figure(round[neighbours]) / Math.Max(figure(round[Neighbours.Alone]), 0.01)));

    private double Median(Neighbours neighbours, Func<Measured, double> figure) => Median(_rounds.Select(round => figure(round[neighbours])));

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private string Name(string what) => string.Create(CultureInfo.InvariantCulture, $"{driver} {load * 100:0} %: {what}");
}
