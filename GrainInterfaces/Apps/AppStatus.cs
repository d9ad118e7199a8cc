using System.Text.Json.Serialization;

namespace Hosting.Apps;

/// <summary>Where an app service stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AppPhase>))]
public enum AppPhase
{
    /// <summary>Replicas of the newest revision are still being started or replaced.</summary>
    Deploying,

    /// <summary>Every wanted replica of the newest revision is running and healthy.</summary>
    Running,

    /// <summary>Replicas are failing; the message carries the reason.</summary>
    Degraded,

    /// <summary>No VM can take a wanted replica now; it is placed by itself as soon as one can.</summary>
    Unplaceable,

    /// <summary>The app was deleted and its containers are being stopped.</summary>
    Deleting,
}

/// <summary>What is observed of an app service.</summary>
[GenerateSerializer, Alias("hosting.AppStatus")]
public sealed record AppStatus
{
    /// <summary>Name, a DNS label.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Newest revision, counted from 1.</summary>
    [Id(1)] public required int Revision { get; init; }

    /// <summary>Where it stands.</summary>
    [Id(2)] public required AppPhase Phase { get; init; }

    /// <summary>Wanted replicas.</summary>
    [Id(3)] public required int Desired { get; init; }

    /// <summary>Replicas of any revision that get traffic.</summary>
    [Id(4)] public required int Ready { get; init; }

    /// <summary>Address at which users reach it; filled in by the API, which knows the outside address.</summary>
    [Id(5)] public string? Url { get; init; }

    /// <summary>One sentence for people: what is going on, or what is wrong and what to do.</summary>
    [Id(6)] public string Message { get; init; } = "";

    /// <summary>The newest spec.</summary>
    [Id(7)] public required AppSpec Spec { get; init; }
}
