using Hosting.Apps;
using Hosting.Grains.Storage;
using Hosting.Regions;
using Microsoft.Extensions.Options;

namespace Hosting.Silo.Api;

/// <summary>/v1/apps: deploy, look at and delete app services.</summary>
internal static class AppEndpoints
{
    /// <summary>Says how a PUT ended: <c>created</c>, <c>updated</c> or <c>unchanged</c>; with a dry run how it would.</summary>
    public const string OutcomeHeader = "Hosting-Outcome";

    /// <summary>Apps asked for their status side by side in a list.</summary>
    private const int Together = 64;

    public static void Map(IEndpointRouteBuilder v1)
    {
        var apps = v1.MapGroup("/apps").WithTags("apps");
        apps.MapPut("/{name}", Put).WithName("PutApp")
            .WithSummary("Create an app or change it. Idempotent. With dryRun=true it is checked and nothing changes.")
            .WithDescription($"Answers once the spec is durable; containers follow. The header {OutcomeHeader} says created, updated or unchanged.")
            .Accepts<AppSpec>("application/json")
            .Produces<AppStatus>().Produces<AppStatus>(StatusCodes.Status201Created)
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        apps.MapGet("/", List).WithName("ListApps").WithSummary("Every app with its status, by name.")
            .Produces<AppStatus[]>().ProducesValidationProblem();
        apps.MapGet("/{name}", Get).WithName("GetApp").WithSummary("The status of an app, with its newest spec.")
            .Produces<AppStatus>().ProducesProblem(StatusCodes.Status404NotFound);
        apps.MapDelete("/{name}", Delete).WithName("DeleteApp").WithSummary("Delete an app: its containers are drained and its hostnames freed.")
            .Produces<AppStatus>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound);
        apps.MapGet("/{name}/containers", Containers).WithName("ListAppContainers")
            .WithSummary("The deployment records of an app; with all=true also those that are over and not forgotten yet.")
            .Produces<ContainerView[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
        apps.MapGet("/{name}/events", Events).WithName("ListAppEvents")
            .WithSummary("What happened to an app, newest last; with follow=true a stream of server-sent events.")
            .Produces<PlatformEvent[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> Put(
        string name, HttpContext http, IGrainFactory grains, IOptions<PublicAddress> address, CancellationToken cancel, bool dryRun = false)
    {
        // Asked here too, so that no grain is woken up for a name that can not be one.
        if (!DnsLabel.IsValid(name)) return Problems.Invalid("name", DnsLabel.Rule);
        var body = await RequestBody.Read<AppSpec>(http.Request, cancel);
        if (body.Problem is not null) return body.Problem;
        var result = await Deadlines.Repeated(() => grains.GetGrain<IAppServiceGrain>(name).Deploy(body.Value!, dryRun), cancel);
        return Answer(result, http.Response, address.Value, dryRun);
    }

    /// <summary>What came of a deployment or a rollback.</summary>
    internal static IResult Answer(DeployResult result, HttpResponse response, PublicAddress address, bool dryRun)
    {
        if (result.Outcome == DeployOutcome.Invalid) return Problems.Invalid(ByField(result.Errors));
        if (result.Outcome == DeployOutcome.Conflict) return Problems.Conflict(ByField(result.Errors));
        var status = WithUrl(result.Status!, address);
        response.Headers[OutcomeHeader] = result.Outcome switch
        {
            DeployOutcome.Created => "created",
            DeployOutcome.Updated => "updated",
            _ => "unchanged",
        };
        return result.Outcome == DeployOutcome.Created && !dryRun
            ? TypedResults.Created($"/v1/apps/{status.Name}", status)
            : TypedResults.Ok(status);
    }

    private static async Task<IResult> List(IGrainFactory grains, IOptions<PublicAddress> address, CancellationToken cancel, int limit = Limits.DefaultItems)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        var names = await Deadlines.Repeated(grains.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetApps, cancel);
        var found = new List<AppStatus>();
        foreach (var some in names.Take(limit).Chunk(Together))
        {
            var statuses = await Task.WhenAll(some.Select(name => Deadlines.Repeated(grains.GetGrain<IAppServiceGrain>(name).GetStatus, cancel)));
            found.AddRange(statuses.OfType<AppStatus>().Select(status => WithUrl(status, address.Value)));
        }
        return TypedResults.Ok(found);
    }

    private static async Task<IResult> Get(string name, IGrainFactory grains, IOptions<PublicAddress> address, CancellationToken cancel) =>
        await Status(name, grains, cancel) is { } status ? TypedResults.Ok(WithUrl(status, address.Value)) : Problems.NoSuchApp(name);

    private static async Task<IResult> Delete(string name, IGrainFactory grains, IOptions<PublicAddress> address, CancellationToken cancel)
    {
        if (!DnsLabel.IsValid(name)) return Problems.NoSuchApp(name);
        var status = await grains.GetGrain<IAppServiceGrain>(name).Delete().Bounded(cancel);
        return status is null ? Problems.NoSuchApp(name) : TypedResults.Accepted($"/v1/apps/{name}", WithUrl(status, address.Value));
    }

    private static async Task<IResult> Containers(
        string name, HttpResponse response, IGrainFactory grains, PoolStore pool, CancellationToken cancel, bool all = false, int limit = Limits.DefaultItems)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!DnsLabel.IsValid(name)) return Problems.NoSuchApp(name);
        var filter = new ContainerFilter { App = name, IncludeOver = all, Limit = limit };
        var (records, missing) = await pool.FindContainers(filter, cancel).Bounded(cancel);
        RegionQueries.NoteMissing(response, missing);
        return records.Count == 0 && await Status(name, grains, cancel) is null
            ? Problems.NoSuchApp(name)
            : TypedResults.Ok(records.Select(ContainerView.Of).ToArray());
    }

    private static async Task<IResult> Events(
        string name, HttpContext http, IGrainFactory grains, EventLog events, EventFollower follower, CancellationToken cancel,
        bool follow = false, string? after = null, int limit = Limits.DefaultEvents)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!DnsLabel.IsValid(name)) return Problems.NoSuchApp(name);
        if (!EventEndpoints.TryParse(after, out var place)) return EventEndpoints.NoPlace;
        var filter = new EventFilter { App = name, After = place, Limit = limit };
        var first = await events.Read(filter, cancel).Bounded(cancel);
        if (first.Events.Count == 0 && await Status(name, grains, cancel) is null) return Problems.NoSuchApp(name);
        return follow ? follower.Follow(http, filter) : EventEndpoints.Answer(http.Response, first);
    }

    private static async Task<AppStatus?> Status(string name, IGrainFactory grains, CancellationToken cancel) =>
        DnsLabel.IsValid(name) ? await Deadlines.Repeated(grains.GetGrain<IAppServiceGrain>(name).GetStatus, cancel) : null;

    private static AppStatus WithUrl(AppStatus status, PublicAddress address) => status with { Url = address.UrlOf(status.Name) };

    private static Dictionary<string, string[]> ByField(IReadOnlyList<SpecError> errors) =>
        errors.GroupBy(e => e.Field).ToDictionary(field => field.Key, field => field.Select(e => e.Message).ToArray());
}
