using System.Text.Json.Serialization;

namespace Hosting.Grains.Storage;

/// <summary>Something that happened in the platform, for people.</summary>
public sealed record PlatformEvent
{
    /// <summary>Grows with every event of its database; 0 until it is stored.</summary>
    public long Id { get; init; }

    /// <summary>The <see cref="Storage.Database.Name"/> of the database that it was read from.</summary>
    [JsonIgnore] public string Database { get; init; } = "";

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Region it happened in; null when it concerns none.</summary>
    public string? Region { get; init; }

    /// <summary>Server it concerns, without the region; null when it concerns none.</summary>
    public string? Server { get; init; }

    /// <summary>App it concerns; null when it concerns none.</summary>
    public string? App { get; init; }

    /// <summary>Id of the container it concerns; null when it concerns none.</summary>
    public string? Container { get; init; }

    /// <summary>What kind of event, one word in camelCase.</summary>
    public required string Kind { get; init; }

    /// <summary>One sentence.</summary>
    public required string Message { get; init; }
}

/// <summary>Which events to read; null asks for any.</summary>
public sealed record EventFilter
{
    /// <summary>Name of the app.</summary>
    public string? App { get; init; }

    /// <summary>Name of the region.</summary>
    public string? Region { get; init; }

    /// <summary>Name of the server, without the region.</summary>
    public string? Server { get; init; }

    /// <summary>Only later ones than this; null asks for the newest. Of a database that the place does not name, the newest.</summary>
    public EventPlace? After { get; init; }

    /// <summary>At most this many, 1 to 10,000; behind a place so many of each database. Default 100.</summary>
    public int Limit { get; init; } = 100;
}
