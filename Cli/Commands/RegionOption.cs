using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hosting.Cli.Commands;

/// <summary>Regions of an app: names, or names with a number of replicas each.</summary>
internal static class RegionOption
{
    /// <summary>What <c>--region</c> was given as the spec has it.</summary>
    /// <exception cref="CommandException">Some have a number and some have none, or it is no number.</exception>
    public static JsonNode Json(string[] regions)
    {
        if (!regions.Any(region => region.Contains('=')))
            return new JsonArray([.. regions.Select(region => (JsonNode)region)]);
        var shares = new JsonObject();
        foreach (var region in regions)
        {
            if (region.Split('=') is not [{ Length: > 0 } name, var number] || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var replicas))
                throw CommandException.Usage($"--region {region}: give every region its number of replicas, such as eu-1=2, or none.");
            if (!shares.TryAdd(name, replicas))
                throw CommandException.Usage($"--region {region}: name each region once.");
        }
        return shares;
    }

    /// <summary>Whether the spec says how many replicas each region has.</summary>
    public static bool HasNumbers(JsonElement? regions) => regions is { ValueKind: JsonValueKind.Object };

    /// <summary>For people.</summary>
    public static string Text(JsonElement? regions) => regions switch
    {
        { ValueKind: JsonValueKind.Object } shares => string.Join(", ", shares.EnumerateObject().Select(share => $"{share.Name} {share.Value}")),
        { ValueKind: JsonValueKind.Array } names when names.GetArrayLength() > 0 => string.Join(", ", names.EnumerateArray()),
        _ => "all",
    };
}
