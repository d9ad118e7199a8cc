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

    /// <summary>The revision that serves because the rollout of <see cref="Revision"/> was stopped; null when it was not.</summary>
    [Id(8)] public int? Serving { get; init; }
}

/// <summary>A revision that an app can be rolled back to, or has now.</summary>
[GenerateSerializer, Alias("hosting.AppRevision")]
public sealed record AppRevision
{
    /// <summary>Its number, counted from 1.</summary>
    [Id(0)] public required int Revision { get; init; }

    /// <summary>When it was made; null when that is not known any more.</summary>
    [Id(1)] public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>The revision it was a rollback to; null when it was none.</summary>
    [Id(2)] public int? RollbackOf { get; init; }

    /// <summary>Whether it is the newest.</summary>
    [Id(3)] public required bool Current { get; init; }

    /// <summary>Whether a rollback that names no revision goes there.</summary>
    [Id(4)] public required bool RollbackTarget { get; init; }

    /// <summary>What its containers run. Replicas, regions, hostnames, rollout, spread and placement are no part of a revision: they are as they were last with it.</summary>
    [Id(5)] public required AppSpec Spec { get; init; }
}
