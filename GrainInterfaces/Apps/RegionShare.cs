using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hosting.Apps;

/// <summary>A region of an app, and how many replicas it has there. A region's name alone converts to one.</summary>
/// <param name="Region">Name of the region.</param>
/// <param name="Replicas">Replicas there, 0 to 1,000; null: an even share of what the app has.</param>
[GenerateSerializer, Alias("hosting.RegionShare")]
public readonly record struct RegionShare([property: Id(0)] string Region, [property: Id(1)] int? Replicas)
{
    /// <summary>A region with an even share.</summary>
    public static implicit operator RegionShare(string region) => new(region, null);
}

/// <summary>In JSON <c>["eu-1", "us-1"]</c> with even shares, <c>{"eu-1": 2, "us-1": 1}</c> with numbers. Both or neither: all have a number, or none.</summary>
public sealed class RegionSharesConverter : JsonConverter<IReadOnlyList<RegionShare>>
{
    /// <inheritdoc/>
    public override IReadOnlyList<RegionShare> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var json = JsonDocument.ParseValue(ref reader);
        return json.RootElement.ValueKind switch
        {
            JsonValueKind.Array => [.. json.RootElement.EnumerateArray().Select(region => new RegionShare(region.GetString()!, null))],
            JsonValueKind.Object => [.. json.RootElement.EnumerateObject().Select(region => new RegionShare(region.Name, region.Value.GetInt32()))],
            _ => throw new JsonException("must be a list of regions, or an object of regions and replicas"),
        };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IReadOnlyList<RegionShare> value, JsonSerializerOptions options)
    {
        if (value.Count > 0 && value.All(share => share.Replicas is not null))
            JsonSerializer.Serialize(writer, value.ToDictionary(share => share.Region, share => share.Replicas!.Value), options);
        else
            JsonSerializer.Serialize(writer, value.Select(share => share.Region), options);
    }
}
