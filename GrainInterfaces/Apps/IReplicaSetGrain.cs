using System.Text.Json.Serialization;
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

    /// <summary>
    /// Asks to move containers to other servers, replacement first: place elsewhere, wait until healthy, switch the routes,
    /// drain, stop. Repeated by who asks until they are gone, so it needs no durability; one that is not here changes nothing.
    /// What was not asked for again for 60 s is forgotten. Cool-downs are durable.
    /// </summary>
    [Alias("Move")] Task Move(IReadOnlyList<ContainerMove> moves);

    /// <summary>Takes back what <see cref="Move"/> asked for, where the container is not draining yet.</summary>
    [Alias("Stay")] Task Stay(IReadOnlyList<string> containers);

    /// <summary>
    /// Says that containers should leave their server under pressure and cannot, because nothing else takes them now: they
    /// stay, throttled, and the app's status says why. Repeated while it is so; forgotten <see cref="HeldSeconds"/> later.
    /// </summary>
    [Alias("Hold"), AlwaysInterleave] Task Hold(IReadOnlyList<ContainerMove> held);

    /// <summary>Seconds for which <see cref="Hold"/> is kept in mind.</summary>
    const int HeldSeconds = 10;

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

    /// <summary>Why the rollout of <see cref="Revision"/> was stopped here, for people; null when it was not.</summary>
    [Id(8)] public string? Stopped { get; init; }

    /// <summary>The revision that serves instead, after a rollout was stopped; null when none was.</summary>
    [Id(9)] public int? Serving { get; init; }

    /// <summary>Containers that are leaving their server: asked to, and not over yet.</summary>
    [Id(10)] public int Moving { get; init; }

    /// <summary>Why a container that has to leave its server stays: nothing else takes it. Null when each can go.</summary>
    [Id(11)] public string? Stuck { get; init; }
}

/// <summary>Why a container has to leave its server.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MoveCause>))]
public enum MoveCause
{
    /// <summary>An operator drains its server or VM.</summary>
    [JsonStringEnumMemberName("drain")] Drain,

    /// <summary>Its server's primary application needs the room.</summary>
    [JsonStringEnumMemberName("pressure")] Pressure,

    /// <summary>
    /// Its server or VM was not heard from for longer than the region's <c>lostAfter</c>. It keeps its traffic until a
    /// replacement is healthy, counts for nothing else, and ends without its agent's word.
    /// </summary>
    [JsonStringEnumMemberName("lost")] Lost,
}

/// <summary>A container that has to leave its server.</summary>
/// <param name="Container">Its id.</param>
/// <param name="Cause">Why.</param>
/// <param name="Reason">Why, for people, with the numbers: <c>CPU 0.87 over 0.80 for 5 s</c>.</param>
/// <param name="AvoidUntil">Until then no replica of the app is placed on that server again; null when the server itself admits none.</param>
[GenerateSerializer, Alias("hosting.ContainerMove")]
public sealed record ContainerMove(
    [property: Id(0)] string Container, [property: Id(1)] MoveCause Cause, [property: Id(2)] string Reason, [property: Id(3)] DateTimeOffset? AvoidUntil);
