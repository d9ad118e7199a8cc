using System.Globalization;

namespace Hosting.Benchmarks.Soak;

/// <summary>What is asked of the benchmark.</summary>
/// <param name="Minutes">How long the churn lasts, 1 to 10,080.</param>
/// <param name="Servers">Simulated servers with 4 VMs each, 20 to 5,000.</param>
/// <param name="Containers">Simulated containers, in 200 apps.</param>
/// <param name="Seed">Of the churn and its faults.</param>
internal sealed record SoakOptions(int Minutes, int Servers, int Containers, int Seed)
{
    /// <exception cref="UsageException">With what is wrong.</exception>
    public static SoakOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new SoakOptions(10, 2_000, 50_000, Random.Shared.Next(1_000_000));
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            options = arguments[i] switch
            {
                "--minutes" => options with { Minutes = Number(arguments[i], value, 1, 10_080) },
                "--servers" => options with { Servers = Number(arguments[i], value, 20, 5_000) },
                "--containers" => options with { Containers = Number(arguments[i], value, 200, 100_000) },
                "--seed" => options with { Seed = Number(arguments[i], value, 0, int.MaxValue) },
                var other => throw new UsageException($"There is no option '{other}'. There are: --minutes, --servers, --containers, --seed."),
            };
        }
        return options;
    }

    private static int Number(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new UsageException($"{option} takes a number from {least} to {most}, not '{text}'.");
}
