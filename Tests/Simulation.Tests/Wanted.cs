using System.Globalization;
using System.Security.Cryptography;

namespace Hosting.Simulation.Tests;

/// <summary>What the environment asks for, in place of a week of one fresh seed.</summary>
internal static class Wanted
{
    /// <summary>One seed, such as 17, or some, such as 100-139.</summary>
    public const string Seeds = "HOSTING_SIMULATION_SEEDS";

    /// <summary>At least 1; 1,000 when it is not set.</summary>
    public const string Servers = "HOSTING_SIMULATION_SERVERS";

    /// <summary>At least 1; 7 when it is not set.</summary>
    public const string Days = "HOSTING_SIMULATION_DAYS";

    private const int Week = 7;

    public static IEnumerable<Trial> Trials()
    {
        var (servers, days) = (Number(Servers, Trial.AllServers), Number(Days, Week));
        var (first, last) = Environment.GetEnvironmentVariable(Seeds) is { Length: > 0 } seeds ? Range(seeds) : Fresh();
        for (var seed = first; seed <= last; seed++) yield return new Trial((int)seed, servers, days);
    }

    private static (long First, long Last) Fresh()
    {
        var seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        return (seed, seed);
    }

    private static (long First, long Last) Range(string seeds)
    {
        var parts = seeds.Split('-');
        return parts.Length <= 2 && TryRead(parts[0], 0, out var first) && TryRead(parts[^1], first, out var last)
            ? (first, last)
            : throw new InvalidOperationException($"{Seeds} is '{seeds}': it takes one seed such as 17, or some such as 100-139.");
    }

    private static int Number(string name, int otherwise) => Environment.GetEnvironmentVariable(name) switch
    {
        null or "" => otherwise,
        var text when TryRead(text, 1, out var number) => number,
        var text => throw new InvalidOperationException($"{name} is '{text}': it takes a whole number from 1."),
    };

    private static bool TryRead(string text, int least, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least;
}
