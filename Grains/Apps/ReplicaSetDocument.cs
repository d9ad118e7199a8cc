using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>A region's share of an app as its grain stores it.</summary>
[GenerateSerializer, Alias("hosting.ReplicaSetDocument")]
internal sealed record ReplicaSetDocument
{
    /// <summary>What should run here; null when there is no share.</summary>
    [Id(0)] public ReplicaSetSpec? Wanted { get; init; }

    /// <summary>Specs of every revision that a container here may still run.</summary>
    [Id(1)] public Dictionary<int, AppSpec> Revisions { get; init; } = [];
}
