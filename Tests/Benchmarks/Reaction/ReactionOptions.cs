using System.Globalization;

namespace Hosting.Benchmarks.Reaction;

/// <summary>What is asked of the benchmark: scenarios (all when none is named), and runs of each.</summary>
internal sealed record ReactionOptions(IReadOnlyList<string> Scenarios, int Runs)
{
    private const int MostRuns = 100;

    /// <exception cref="UsageException">With what is wrong.</exception>
    public static ReactionOptions Parse(IReadOnlyList<string> arguments, IReadOnlyCollection<string> known, int defaultRuns = 20)
    {
        var (names, runs) = (new List<string>(), defaultRuns);
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--runs")
                runs = Number(++i < arguments.Count ? arguments[i] : "");
            else if (known.Contains(arguments[i]))
                names.Add(arguments[i]);
            else
                throw new UsageException($"There is no scenario '{arguments[i]}'. There are: {string.Join(", ", known)}; and --runs N.");
        }
        return new ReactionOptions(names.Count == 0 ? [.. known] : [.. names.Distinct()], runs);
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var runs) && runs is >= 1 and <= MostRuns
            ? runs
            : throw new UsageException($"--runs takes a number from 1 to {MostRuns}, not '{text}'.");
}
