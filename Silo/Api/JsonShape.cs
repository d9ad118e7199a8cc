using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hosting.Apps;

namespace Hosting.Silo.Api;

/// <summary>
/// Compares a JSON body with the type it is to become, and names every field that does not fit and what would. The
/// serializer itself stops at the first and speaks of .NET types.
/// </summary>
internal sealed class JsonShape
{
    private const int MaxErrors = 20;

    private readonly Dictionary<string, string[]> _errors = [];

    private JsonShape()
    {
    }

    /// <summary>What is wrong, by the field's path (<c>healthCheck.path</c>, <c>regions[1]</c>, <c>$</c> for the whole); empty when nothing is.</summary>
    public static IReadOnlyDictionary<string, string[]> Check(JsonElement json, Type type)
    {
        var shape = new JsonShape();
        shape.CheckValue("", json, type, nullable: false);
        return shape._errors;
    }

    private void CheckValue(string path, JsonElement json, Type declared, bool nullable)
    {
        if (_errors.Count >= MaxErrors) return;
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (json.ValueKind == JsonValueKind.Null)
        {
            if (!nullable && type == declared) Add(path, "must not be null; leave it out to take the default");
            return;
        }
        var info = ApiJson.Strict.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object: CheckObject(path, json, info); break;
            case JsonTypeInfoKind.Enumerable: CheckList(path, json, info); break;
            case JsonTypeInfoKind.Dictionary: CheckMap(path, json, info); break;
            default: CheckScalar(path, json, type); break;
        }
    }

    private void CheckObject(string path, JsonElement json, JsonTypeInfo info)
    {
        if (!IsKind(path, json, JsonValueKind.Object, "must be an object, in braces")) return;
        var known = info.Properties.Where(p => p.Set is not null || p.AssociatedParameter is not null).ToDictionary(p => p.Name);
        foreach (var field in json.EnumerateObject())
        {
            var child = Join(path, field.Name);
            if (known.TryGetValue(field.Name, out var property) && property.CustomConverter is RegionSharesConverter)
                CheckShares(child, field.Value);
            else if (property is not null)
                CheckValue(child, field.Value, property.PropertyType, property.IsSetNullable);
            else
                Add(child, $"is not a known field; known are {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}");
        }
        foreach (var missing in known.Values.Where(p => IsRequired(p) && !json.TryGetProperty(p.Name, out _)))
            Add(Join(path, missing.Name), "is required");
    }

    private static bool IsRequired(JsonPropertyInfo property) =>
        property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false };

    private void CheckList(string path, JsonElement json, JsonTypeInfo info)
    {
        if (!IsKind(path, json, JsonValueKind.Array, "must be a list, in brackets")) return;
        var index = 0;
        foreach (var item in json.EnumerateArray())
            CheckValue($"{path}[{index++}]", item, info.ElementType!, nullable: false);
    }

    private void CheckMap(string path, JsonElement json, JsonTypeInfo info)
    {
        if (!IsKind(path, json, JsonValueKind.Object, "must be an object of names and values, in braces")) return;
        foreach (var entry in json.EnumerateObject())
            CheckValue(Join(path, entry.Name), entry.Value, info.ElementType!, nullable: false);
    }

    /// <summary>Names of regions, or names and numbers.</summary>
    private void CheckShares(string path, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Object)
            CheckMap(path, json, ApiJson.Strict.GetTypeInfo(typeof(Dictionary<string, int>)));
        else if (json.ValueKind == JsonValueKind.Array)
            CheckList(path, json, ApiJson.Strict.GetTypeInfo(typeof(List<string>)));
        else if (json.ValueKind != JsonValueKind.Null)
            Add(path, "must be a list of regions, in brackets, or an object of regions and their replicas, in braces");
    }

    private void CheckScalar(string path, JsonElement json, Type type)
    {
        if (type == typeof(string)) CheckText(path, json);
        else if (type == typeof(bool)) Require(path, json.ValueKind is JsonValueKind.True or JsonValueKind.False, "must be true or false");
        else if (type == typeof(int)) Require(path, IsWhole(json), "must be a whole number of at most 2147483647, without quotes");
        else if (type == typeof(double)) Require(path, IsNumber(json), "must be a number, without quotes");
        else if (type.IsEnum) CheckName(path, json, type);
        else throw new NotSupportedException($"JsonShape does not know {type}: teach it when a request needs it.");
    }

    private static bool IsWhole(JsonElement json) => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out _);

    private static bool IsNumber(JsonElement json) => json.ValueKind == JsonValueKind.Number && double.IsFinite(json.GetDouble());

    private void CheckText(string path, JsonElement json)
    {
        if (!IsKind(path, json, JsonValueKind.String, "must be text, in quotes")) return;
        try
        {
            // PostgreSQL and processes' environments cannot hold NUL.
            Require(path, !json.GetString()!.Contains('\0', StringComparison.Ordinal), "must not contain the character NUL");
        }
        catch (InvalidOperationException)
        {
            Add(path, "contains half of a surrogate pair, which is no character");
        }
    }

    private void CheckName(string path, JsonElement json, Type type)
    {
        var names = Enum.GetValuesAsUnderlyingType(type).Cast<object>()
            .Select(value => JsonSerializer.SerializeToElement(Enum.ToObject(type, value), type, ApiJson.Strict).GetString()!);
        var known = json.ValueKind == JsonValueKind.String && names.Any(json.ValueEquals);
        Require(path, known, $"must be one of {string.Join(", ", names.Select(n => $"\"{n}\""))}");
    }

    private bool IsKind(string path, JsonElement json, JsonValueKind kind, string otherwise)
    {
        Require(path, json.ValueKind == kind, otherwise);
        return json.ValueKind == kind;
    }

    private void Require(string path, bool holds, string otherwise)
    {
        if (!holds) Add(path, otherwise);
    }

    private void Add(string path, string message) => _errors.TryAdd(path.Length == 0 ? "$" : path, [message]);

    private static string Join(string path, string name)
    {
        var shown = name.Length <= 80 ? name : name[..80] + "…";
        return path.Length == 0 ? shown : $"{path}.{shown}";
    }
}
