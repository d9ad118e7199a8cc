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
        string? server = null, bool follow = false, string? after = null, int limit = Limits.DefaultEvents)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!ServerFilter.TryParse(region, server, out var on)) return ServerFilter.Contradiction;
        if (!TryParse(after, out var place)) return NoPlace;
        var filter = new EventFilter { App = app, Region = on.Region, Server = on.Server, After = place, Limit = limit };
        return follow ? follower.Follow(http, filter) : Answer(http.Response, await events.Read(filter, cancel).Bounded(cancel));
    }

    /// <summary>What a query that names a wrong place is told.</summary>
    public static IResult NoPlace => Problems.Invalid("after", "must be the id of an event, or one of an event in a stream: 120 or 120,eu-1:55.");

    /// <summary>Reads the place behind which a list begins; none is the newest events' place.</summary>
    public static bool TryParse(string? after, out EventPlace? place)
    {
        place = after is null ? null : EventPlace.TryParse(after);
        return after is null || place is not null;
    }

    /// <summary>A list of events, which says when a part of it is missing.</summary>
    public static IResult Answer(HttpResponse response, EventPage page)
    {
        RegionQueries.NoteMissing(response, page.Missing);
        return TypedResults.Ok(page.Events);
    }
}
