using Hosting.Placement;
using Orleans.Concurrency;

namespace Hosting.Apps;

/// <summary>The share of an app in one region; the key is <c>region/app</c>. Keeps its replicas running.</summary>
[Alias("hosting.IReplicaSetGrain")]
public interface IReplicaSetGrain : IGrainWithStringKey
{
    /// <summary>Sets what should run here. Answered once durable; an older generation than the known one changes nothing.</summary>
    [Alias("Apply")] Task Apply(ReplicaSetSpec spec);

    /// <summary>What runs here; null when the region has no share of the app (any more).</summary>
    [Alias("GetStatus"), AlwaysInterleave] Task<ReplicaSetStatus?> GetStatus();

    /// <summary>The deployment records here that are not over.</summary>
    [Alias("GetContainers"), AlwaysInterleave] Task<IReadOnlyList<ContainerRecord>> GetContainers();

    /// <summary>What a replica of that revision runs; null when no container of it is left.</summary>
    [Alias("GetRevision"), AlwaysInterleave] Task<AppSpec?> GetRevision(int revision);

    /// <summary>Says that these records changed (they are durable already). A hint: a lost one is repaired by a resync.</summary>
    [Alias("Observe"), AlwaysInterleave, OneWay] Task Observe(IReadOnlyList<ContainerRecord> changed);

    /// <summary>Subscribes a gateway for <see cref="RouteLease.Seconds"/>; null when nothing changed since <paramref name="known"/>.</summary>
    [Alias("Watch"), AlwaysInterleave] Task<RouteTable?> Watch(IRouteObserver observer, RouteVersion? known);

    /// <summary>The newest routing table, without subscribing.</summary>
    [Alias("GetTable"), AlwaysInterleave] Task<RouteTable> GetTable();

    /// <summary>Compares what is wanted with what runs, and repairs it. Safe at any time.</summary>
    [Alias("Reconcile")] Task Reconcile();
}

/// <summary>What a region should run of an app.</summary>
[GenerateSerializer, Alias("hosting.ReplicaSetSpec")]
public sealed record ReplicaSetSpec
{
    /// <summary>Revision of <see cref="Spec"/>, counted from 1.</summary>
    [Id(0)] public required int Revision { get; init; }

    /// <summary>The spec of that revision.</summary>
    [Id(1)] public required AppSpec Spec { get; init; }

    /// <summary>Wanted replicas in this region.</summary>
    [Id(2)] public required int Replicas { get; init; }

    /// <summary>The app, or its share here, is to go away once its containers have stopped.</summary>
    [Id(3)] public bool Retired { get; init; }

    /// <summary>Raised by every change of the app, also by those that keep the revision (scaling).</summary>
    [Id(4)] public required long Generation { get; init; }
}

/// <summary>What a region has of an app.</summary>
[GenerateSerializer, Alias("hosting.ReplicaSetStatus")]
public sealed record ReplicaSetStatus
{
    /// <summary>The revision it was told last.</summary>
    [Id(0)] public required int Revision { get; init; }

    /// <summary>Wanted replicas here.</summary>
    [Id(1)] public required int Desired { get; init; }

    /// <summary>Replicas of any revision that get traffic.</summary>
    [Id(2)] public required int Ready { get; init; }

    /// <summary>Replicas of the newest revision that get traffic.</summary>
    [Id(3)] public required int Updated { get; init; }

    /// <summary>Deployment records that are not over.</summary>
    [Id(4)] public required int Containers { get; init; }

    /// <summary>Why a wanted replica could not be placed; null when all are.</summary>
    [Id(5)] public PlacementRefusal? Refusal { get; init; }

    /// <summary>The newest reason a replica fails for; null when none does.</summary>
    [Id(6)] public string? Failure { get; init; }

    /// <summary>The share is being taken away.</summary>
    [Id(7)] public bool Retired { get; init; }
}
