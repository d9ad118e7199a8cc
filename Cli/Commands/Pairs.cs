using System.Text.Json.Nodes;

namespace Hosting.Cli.Commands;

/// <summary>Options that give a name and its value, <c>KEY=VALUE</c>, and the objects in a body that hold them.</summary>
internal static class Pairs
{
    /// <summary>Adds the pairs to an object within a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="field">The object's name in it.</param>
    /// <param name="option">The option they were given with, for messages.</param>
    /// <param name="pairs">What was given; null for nothing.</param>
    /// <exception cref="CommandException">One has no name before an equals sign.</exception>
    public static void Set(JsonObject body, string field, string option, string[]? pairs)
    {
        foreach (var pair in pairs ?? [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw CommandException.Usage($"{option} '{pair}': write KEY=VALUE.");
            Child(body, field)[pair[..equals]] = pair[(equals + 1)..];
        }
    }

    /// <summary>The object of that name within a body; made when it is not there.</summary>
    public static JsonObject Child(JsonObject body, string field)
    {
        if (body[field] is JsonObject there) return there;
        var created = new JsonObject();
        body[field] = created;
        return created;
    }
}
