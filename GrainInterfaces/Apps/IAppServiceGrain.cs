using Hosting.Placement;
using Orleans.Concurrency;

namespace Hosting.Apps;

/// <summary>An app service; the key is its name, a DNS label. Owns spec, revisions and the split over regions.</summary>
[Alias("hosting.IAppServiceGrain")]
public interface IAppServiceGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates the app or gives it a new revision. Idempotent: the spec it already has changes nothing. Answered once
    /// the spec is durable; containers follow.
    /// </summary>
    /// <param name="spec">The wanted state.</param>
    /// <param name="dryRun">Decide and answer, and change nothing.</param>
    [Alias("Deploy")] Task<DeployResult> Deploy(AppSpec spec, bool dryRun = false);

    /// <summary>Its status; null when there is no such app.</summary>
    [Alias("GetStatus"), AlwaysInterleave] Task<AppStatus?> GetStatus();

    /// <summary>Deletes the app; its containers are drained and its hostnames freed. Null when there is no such app.</summary>
    [Alias("Delete")] Task<AppStatus?> Delete();

    /// <summary>
    /// Back to what an earlier revision ran, as a new revision. What is no part of a revision stays as it is today: replicas,
    /// regions, hostnames, rollout bounds, spread and placement. <see cref="DeployOutcome.Conflict"/> when that revision is not kept;
    /// <see cref="DeployOutcome.Unchanged"/> when the app runs the same already, so naming a revision makes it safe to
    /// repeat. Null when there is no such app.
    /// </summary>
    /// <param name="revision">One of the last 10; null means the one before the newest, or after a stopped rollout the one that serves.</param>
    [Alias("Rollback")] Task<DeployResult?> Rollback(int? revision = null);

    /// <summary>The revisions that are kept (the last 10), the newest first; null when there is no such app.</summary>
    [Alias("GetRevisions"), AlwaysInterleave] Task<IReadOnlyList<AppRevision>?> GetRevisions();

    /// <summary>Its deployment records that are not over, over all regions; null when there is no such app.</summary>
    [Alias("GetContainers"), AlwaysInterleave] Task<IReadOnlyList<ContainerRecord>?> GetContainers();

    /// <summary>
    /// Subscribes a gateway for <see cref="RouteLease.Seconds"/> and answers where the app runs: null when nothing
    /// changed since <paramref name="known"/>. An app that does not exist answers a route with no regions.
    /// </summary>
    [Alias("Watch"), AlwaysInterleave] Task<AppRoute?> Watch(IRouteObserver observer, RouteVersion? known);

    /// <summary>Whether the app's durable spec names that host name: how a name finds out that a claim was never finished.</summary>
    [Alias("Owns"), AlwaysInterleave] Task<bool> Owns(string hostname);

    /// <summary>Compares what is wanted with what the regions have, and repairs it. Safe at any time.</summary>
    [Alias("Reconcile")] Task Reconcile();
}

/// <summary>How a <see cref="IAppServiceGrain.Deploy"/> or <see cref="IAppServiceGrain.Rollback"/> ended.</summary>
public enum DeployOutcome
{
    /// <summary>A new app.</summary>
    Created,

    /// <summary>A new revision of an existing app.</summary>
    Updated,

    /// <summary>The app has this spec already.</summary>
    Unchanged,

    /// <summary>The spec is not valid: see <see cref="DeployResult.Errors"/>.</summary>
    Invalid,

    /// <summary>It contradicts what exists (a hostname of another app, a deletion under way, a revision that is gone): see <see cref="DeployResult.Errors"/>.</summary>
    Conflict,
}

/// <summary>Answer to <see cref="IAppServiceGrain.Deploy"/>.</summary>
[GenerateSerializer, Alias("hosting.DeployResult")]
public sealed record DeployResult
{
    /// <summary>How it ended.</summary>
    [Id(0)] public required DeployOutcome Outcome { get; init; }

    /// <summary>The app's status after it (for a dry run: as it would be); null when refused.</summary>
    [Id(1)] public AppStatus? Status { get; init; }

    /// <summary>Why it was refused, each with the field it is about; empty when it was not.</summary>
    [Id(2)] public IReadOnlyList<SpecError> Errors { get; init; } = [];
}

/// <summary>One thing that is wrong with a spec.</summary>
/// <param name="Field">Path of the field in the spec's JSON, for example <c>healthCheck.path</c>; <c>name</c> for the app's name.</param>
/// <param name="Message">What is wrong and what would be right.</param>
[GenerateSerializer, Alias("hosting.SpecError")]
public sealed record SpecError([property: Id(0)] string Field, [property: Id(1)] string Message);
