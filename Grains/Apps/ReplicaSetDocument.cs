using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>A region's share of an app as its grain stores it. Immutable: a change is a new document.</summary>
[GenerateSerializer, Alias("hosting.ReplicaSetDocument")]
internal sealed record ReplicaSetDocument
{
    /// <summary>What should run here; null when there is no share.</summary>
    [Id(0)] public ReplicaSetSpec? Wanted { get; init; }

    /// <summary>Specs of every revision that a container here may still run, and of the one that serves.</summary>
    [Id(1)] public Dictionary<int, AppSpec> Revisions { get; init; } = [];

    /// <summary>The revision that served when the rollout of the wanted one began; null when that is complete, or nothing served.</summary>
    [Id(2)] public int? Serving { get; init; }

    /// <summary>Why the rollout was stopped, so that the serving revision is kept; null when it was not.</summary>
    [Id(3)] public string? Stopped { get; init; }

    /// <summary>Servers that get no replica of the app before the given time, because one was moved away under pressure.</summary>
    [Id(4)] public Dictionary<string, DateTimeOffset> Cooldowns { get; init; } = [];
}
