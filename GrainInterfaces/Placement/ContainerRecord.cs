using System.Text.Json.Serialization;

namespace Hosting.Placement;

/// <summary>States of a container. They only move forward, down this list.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerState>))]
public enum ContainerState
{
    /// <summary>Durable, not yet seen on its VM.</summary>
    Placed = 0,

    /// <summary>Its agent works on it; a start that fails is repeated with backoff and its reason shown.</summary>
    Starting = 1,

    /// <summary>Its process runs (or is being restarted in place); it gets traffic while it is healthy.</summary>
    Running = 2,

    /// <summary>It gets no new requests and will be stopped.</summary>
    Draining = 3,

    /// <summary>Over, as wanted.</summary>
    Stopped = 4,

    /// <summary>Over, for the reason given.</summary>
    Failed = 5,
}

/// <summary>One replica of one revision, placed in one VM: a deployment record, as PostgreSQL holds it.</summary>
[GenerateSerializer, Immutable, Alias("hosting.ContainerRecord")]
public sealed record ContainerRecord
{
    /// <summary>Unique for ever: the app's name, a dash and a random part.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>Name of its app.</summary>
    [Id(1)] public required string App { get; init; }

    /// <summary>Revision of the app that it runs.</summary>
    [Id(2)] public required int Revision { get; init; }

    /// <summary>Region it was placed in.</summary>
    [Id(3)] public required string Region { get; init; }

    /// <summary>Server it was placed on, without the region.</summary>
    [Id(4)] public required string Server { get; init; }

    /// <summary>VM it was placed in, without region and server.</summary>
    [Id(5)] public required string Vm { get; init; }

    /// <summary>What it takes of its VM.</summary>
    [Id(6)] public required Demand Demand { get; init; }

    /// <summary>Where it stands.</summary>
    [Id(7)] public required ContainerState State { get; init; }

    /// <summary>Whether it passes its health check.</summary>
    [Id(8)] public bool Healthy { get; init; }

    /// <summary>Where gateways reach it, <c>address:port</c>; null until it has started.</summary>
    [Id(9)] public string? Endpoint { get; init; }

    /// <summary>Why it is not running, or not healthy; null when it is.</summary>
    [Id(10)] public string? Reason { get; init; }

    /// <summary>When it was placed.</summary>
    [Id(11)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its process started last, by its server's clock; null before.</summary>
    [Id(12)] public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Whether it is over.</summary>
    [JsonIgnore] public bool IsOver => State >= ContainerState.Stopped;

    /// <summary>Whether it gets traffic.</summary>
    [JsonIgnore] public bool GetsTraffic => State == ContainerState.Running && Healthy && Endpoint is not null;
}
