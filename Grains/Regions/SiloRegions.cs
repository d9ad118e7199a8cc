namespace Hosting.Grains.Regions;

/// <summary>
/// The regions a silo serves, as a part of its name. The name is in the membership, so whoever knows a silo knows its regions.
/// Its metadata has to be asked of the silo itself, and once that fails (a link is cut just then) it is not asked again
/// for 13 s, nor before the membership changes: until then nothing of its regions could be placed.
/// </summary>
public static class SiloRegions
{
    // As much as the table of the membership holds.
    private const int LongestName = 150;
    private const string Serves = " serves ";

    /// <summary>A silo's name with its regions; the name alone when both together are too long, then only its metadata tells.</summary>
    public static string Name(string silo, IReadOnlyList<string> regions)
    {
        var whole = $"{silo}{Serves}{string.Join(',', regions)}";
        return whole.Length <= LongestName ? whole : silo;
    }

    /// <summary>The regions in a silo's name; null when it names none.</summary>
    internal static string[]? InName(string name) =>
        name.LastIndexOf(Serves, StringComparison.Ordinal) is >= 0 and var at ? Split(name[(at + Serves.Length)..]) : null;

    /// <summary>Regions separated by commas.</summary>
    internal static string[] Split(string regions) => regions.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
