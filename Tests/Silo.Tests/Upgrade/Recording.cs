using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Hosting.Protocol;
using Hosting.Support;
using Orleans.Serialization;

namespace Hosting.Silo.Tests.Upgrade;

/// <summary>
/// What an earlier version wrote, kept in files: a line a message, with its bytes and what they meant. Later versions add
/// fields; what was there keeps its place and its meaning.
/// </summary>
internal static class Recording
{
    private static readonly JsonSerializerOptions Plain = new();

    /// <summary>Where recordings are kept.</summary>
    public static string PathOf(string file) => Path.Combine(Checkout.Root, "Tests", "Silo.Tests", "Upgrade", "Recorded", file);

    /// <summary>Records messages between grains, silos and gateways.</summary>
    public static Task Write(string file, Serializer serializer, IEnumerable<object> messages) => File.WriteAllLinesAsync(PathOf(file), messages.Select(message =>
        Line(message.GetType().Name, serializer.SerializeToArray(message), JsonSerializer.SerializeToNode(message, message.GetType(), Plain)!)));

    /// <summary>Records messages of the agents' protocol.</summary>
    public static Task Write(string file, IEnumerable<IMessage> messages) => File.WriteAllLinesAsync(PathOf(file), messages.Select(message =>
        Line(message.Descriptor.Name, message.ToByteArray(), JsonNode.Parse(JsonFormatter.Default.Format(message))!)));

    /// <summary>Messages between grains as they are read now, each with what it meant.</summary>
    public static IEnumerable<(string Type, JsonNode Meant, JsonNode Read)> Read(string file, Serializer serializer) => Lines(file).Select(line =>
    {
        var message = serializer.Deserialize<object>(line.Bytes);
        return (line.Type, line.Meant, JsonSerializer.SerializeToNode(message, message!.GetType(), Plain)!);
    });

    /// <summary>Messages of the agents' protocol as they are read now.</summary>
    public static IEnumerable<(IMessage Message, JsonNode Meant)> Read(string file) => Lines(file).Select(line =>
        (AgentReflection.Descriptor.MessageTypes.Single(type => type.Name == line.Type).Parser.ParseFrom(line.Bytes), line.Meant));

    /// <summary>Whether all that was meant is there; what was added since may be there too.</summary>
    public static bool Holds(JsonNode? read, JsonNode? meant) => (read, meant) switch
    {
        (JsonObject now, JsonObject then) => then.All(field => Holds(now[field.Key], field.Value)),
        (JsonArray now, JsonArray then) => now.Count == then.Count && now.Zip(then).All(pair => Holds(pair.First, pair.Second)),
        _ => JsonNode.DeepEquals(read, meant),
    };

    /// <summary>A message with something in every field, two in those that repeat; of a choice the given one.</summary>
    public static IMessage Filled(MessageDescriptor type, FieldDescriptor? choice = null)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder().Where(field => field.RealContainingOneof is null || field == choice))
        {
            if (field.IsMap)
                ((System.Collections.IDictionary)field.Accessor.GetValue(message)).Add("key", "value");
            else if (field.IsRepeated)
                _ = ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Value(field));
            else
                field.Accessor.SetValue(message, Value(field));
        }
        return message;
    }

    private static object Value(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => Filled(field.MessageType),
        FieldType.String => $"{field.Name}-{field.FieldNumber}",
        FieldType.Bool => true,
        FieldType.Int32 => 1000 + field.FieldNumber,
        FieldType.Int64 => 1_700_000_000_000 + field.FieldNumber,
        FieldType.Double => 0.5 + (field.FieldNumber / 100.0),
        FieldType.Enum => field.EnumType.Values[^1].Number,
        var other => throw new NotSupportedException($"{field.FullName} is {other}"),
    };

    private static string Line(string type, byte[] bytes, JsonNode meant) =>
        new JsonObject { ["type"] = type, ["bytes"] = Convert.ToBase64String(bytes), ["meant"] = meant }.ToJsonString();

    private static IEnumerable<(string Type, byte[] Bytes, JsonNode Meant)> Lines(string file) => File.ReadLines(PathOf(file)).Select(line =>
    {
        var recorded = JsonNode.Parse(line)!;
        return ((string)recorded["type"]!, Convert.FromBase64String((string)recorded["bytes"]!), recorded["meant"]!);
    });
}
