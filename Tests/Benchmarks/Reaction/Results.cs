using System.Globalization;

namespace Hosting.Benchmarks.Reaction;

/// <summary>The outcomes of one scenario's runs, by side, and the figures that they make.</summary>
internal sealed class Results(Scenario scenario)
{
    private const string ToReach = "at most half";

    private readonly List<Outcome>[] _outcomes = [.. scenario.Sides.Select(_ => new List<Outcome>())];

    private readonly List<double> _bare = [];

    public void Add(int side, Outcome outcome) => _outcomes[side].Add(outcome);

    public void AddBare(TimeSpan took) => _bare.Add(Seconds(took));

    public IEnumerable<Figure> Figures()
    {
        for (var figure = 0; figure < scenario.Figures.Count; figure++)
        {
            for (var peer = 1; peer < Math.Max(2, scenario.Sides.Count); peer++)
            {
                foreach (var percentile in new[] { 50, 99 })
                    yield return Time(figure, peer, percentile);
            }
        }
        for (var peer = 1; peer < Math.Max(2, scenario.Sides.Count); peer++)
            yield return Failures(peer);
        yield return new Figure("  slowest answer", Seconds(_outcomes[0].Max(o => o.Slowest)), "s",
            scenario.Sides.Count > 1 ? Seconds(_outcomes[1].Max(o => o.Slowest)) : null);
    }

    private Figure Time(int figure, int peer, int percentile) =>
        Timed(figure, peer, percentile) with { Bare = peer == 1 && _bare.Count > 0 ? Percentile(_bare, percentile) : null };

    private Figure Timed(int figure, int peer, int percentile)
    {
        var timed = scenario.Figures[figure];
        var ours = Percentile(0, figure, percentile);
        double? theirs = peer < scenario.Sides.Count ? Percentile(peer, figure, percentile) : null;
        var what = $"{(peer > 1 ? $"  {scenario.Sides[peer].Name}" : timed.What)}, p{percentile}";
        if (theirs is { } other)
            return new Figure(what, ours, "s", other, ToReach, ours <= other / 2);
        return timed.AtMost is { } most
            ? new Figure(what, ours, "s", null, string.Create(CultureInfo.InvariantCulture, $"at most {most} s"), ours <= most)
            : new Figure(what, ours, "s");
    }

    private Figure Failures(int peer)
    {
        var failed = _outcomes[0].Sum(o => o.Failures.Count);
        return new Figure($"  failed{(peer > 1 ? $", {scenario.Sides[peer].Name}" : $" of {_outcomes[0].Sum(o => o.Sent)}")}", failed, "",
            peer < scenario.Sides.Count ? _outcomes[peer].Sum(o => o.Failures.Count) : null,
            scenario.NoneFails ? "none" : null, scenario.NoneFails ? failed == 0 : null);
    }

    private double Percentile(int side, int figure, int percentile) => Percentile(_outcomes[side].Select(o => Seconds(o.Times[figure])), percentile);

    /// <summary>By nearest rank.</summary>
    private static double Percentile(IEnumerable<double> times, int percentile)
    {
        var sorted = times.Order().ToList();
        return sorted[(int)Math.Ceiling(sorted.Count * percentile / 100.0) - 1];
    }

    private static double Seconds(TimeSpan time) => time.TotalSeconds;
}
