using Hosting.Apps;
using Microsoft.Extensions.Options;

namespace Hosting.Silo.Api;

/// <summary>/v1/apps/{name}/revisions and /rollback: what an app ran before, and back to it.</summary>
internal static class RevisionEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        var app = v1.MapGroup("/apps/{name}").WithTags("apps");
        app.MapGet("/revisions", List).WithName("ListRevisions")
            .WithSummary("The revisions of an app that are kept (the last 10), newest first, with what each runs.")
            .Produces<AppRevision[]>().ProducesProblem(StatusCodes.Status404NotFound);
        app.MapPost("/rollback", Rollback).WithName("RollbackApp")
            .WithSummary("Back to what an earlier revision ran, as a new revision with today's replicas.")
            .WithDescription(
                "The body may name the revision: {\"revision\": 5}. Without it: the one before the newest, or after a stopped rollout the one that "
                + $"serves. Naming it makes the request safe to repeat; the header {AppEndpoints.OutcomeHeader} says updated or unchanged.")
            .Accepts<RollbackOrder>(isOptional: true, "application/json")
            .Produces<AppStatus>().ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
    }

    private static async Task<IResult> List(string name, IGrainFactory grains, CancellationToken cancel)
    {
        var revisions = DnsLabel.IsValid(name) ? await grains.GetGrain<IAppServiceGrain>(name).GetRevisions().Bounded(cancel) : null;
        return revisions is null ? Problems.NoSuchApp(name) : TypedResults.Ok(revisions);
    }

    private static async Task<IResult> Rollback(
        string name, HttpContext http, IGrainFactory grains, IOptions<PublicAddress> address, CancellationToken cancel)
    {
        if (!DnsLabel.IsValid(name)) return Problems.NoSuchApp(name);
        var order = IsEmpty(http.Request) ? new(new RollbackOrder(), null) : await RequestBody.Read<RollbackOrder>(http.Request, cancel);
        if (order.Problem is not null) return order.Problem;
        var result = await grains.GetGrain<IAppServiceGrain>(name).Rollback(order.Value!.Revision).Bounded(cancel);
        return result is null ? Problems.NoSuchApp(name) : AppEndpoints.Answer(result, http.Response, address.Value, dryRun: false);
    }

    private static bool IsEmpty(HttpRequest request) => request.ContentLength is 0 || (request.ContentLength is null && request.ContentType is null);
}

/// <summary>What the body of a rollback may hold.</summary>
internal sealed record RollbackOrder
{
    /// <summary>The revision to go back to; left out it is the one before the newest, or after a stopped rollout the one that serves.</summary>
    public int? Revision { get; init; }
}
