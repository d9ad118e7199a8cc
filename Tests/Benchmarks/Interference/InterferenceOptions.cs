using System.Globalization;

namespace Hosting.Benchmarks.Interference;

/// <summary>What is asked of the benchmark.</summary>
/// <param name="Drivers">What runs the neighbours; nested and qemu when none is named.</param>
/// <param name="Rounds">Rounds of every load, 1 to 100.</param>
/// <param name="Seconds">Length of a window, 1 to 60.</param>
/// <param name="Loads">Loads of the primary, shares of the server.</param>
/// <param name="Reserve">CPU that the VMs leave to the primary, in percent of the server, 0 to 95.</param>
/// <param name="Pinned">Whether each thread of the primary has a core of its own.</param>
internal sealed record InterferenceOptions(IReadOnlyList<string> Drivers, int Rounds, int Seconds, IReadOnlyList<double> Loads, int Reserve, bool Pinned)
{
    private static readonly string[] Known = ["nested", "qemu", .. Bare.Names];

    /// <exception cref="UsageException">With what is wrong.</exception>
    public static InterferenceOptions Parse(IReadOnlyList<string> arguments)
    {
        var (names, options) = (new List<string>(), new InterferenceOptions([], 6, 2, [0.2, 0.5, 0.8], Reserve: 0, Pinned: false));
        for (var i = 0; i < arguments.Count; i++)
        {
            if (Known.Contains(arguments[i]))
                names.Add(arguments[i]);
            else if (arguments[i] == "--pinned")
                options = options with { Pinned = true };
            else if (arguments[i] is "--rounds" or "--seconds" or "--load" or "--reserve")
                options = With(options, arguments[i], ++i < arguments.Count ? arguments[i] : "");
            else
                throw new UsageException($"There is no '{arguments[i]}'. There are {string.Join(", ", Known)} (bare: without a VM); --rounds N, --seconds N, --load PERCENT, --reserve PERCENT and --pinned.");
        }

        return options with { Drivers = names.Count == 0 ? ["nested", "qemu"] : [.. names.Distinct()] };
    }

    private static InterferenceOptions With(InterferenceOptions options, string name, string value) =>
        name switch
        {
            "--rounds" => options with { Rounds = Number(name, value, 100) },
            "--seconds" => options with { Seconds = Number(name, value, 60) },
            "--reserve" => options with { Reserve = Number(name, value, 95) },
            _ => options with { Loads = [Number(name, value, 95) / 100.0] },
        };

    private static int Number(string option, string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new UsageException($"{option} takes a number from 1 to {most}, not '{text}'.");
}
