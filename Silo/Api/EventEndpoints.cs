using Hosting.Grains.Storage;

namespace Hosting.Silo.Api;

/// <summary>/v1/events: what happened in the platform.</summary>
internal static class EventEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/events", List).WithTags("events").WithName("ListEvents")
            .WithSummary("What happened in the platform, newest last, by app, region and server; with follow=true a stream of server-sent events.")
            .WithDescription("A stream begins with the newest events up to limit, or right after the id in the header Last-Event-ID.")
            .Produces<PlatformEvent[]>().ProducesValidationProblem();

    private static async Task<IResult> List(
        HttpContext http, EventLog events, EventFollower follower, CancellationToken cancel, string? app = null, string? region = null,
        string? server = null, bool follow = false, long? after = null, int limit = Limits.DefaultEvents)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!ServerFilter.TryParse(region, server, out var on)) return ServerFilter.Contradiction;
        var filter = new EventFilter { App = app, Region = on.Region, Server = on.Server, AfterId = after, Limit = limit };
        return follow ? follower.Follow(http, filter) : TypedResults.Ok(await events.Read(filter, cancel).Bounded(cancel));
    }
}
