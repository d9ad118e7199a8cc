using Hosting.Grains.Storage;

namespace Hosting.Silo.Api;

/// <summary>Streams the event log to whoever follows it.</summary>
internal sealed class EventFollower(EventLog events, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<EventFollower> log)
{
    /// <summary>Each one asks the store four times a second.</summary>
    private const int MostFollowers = 100;

    private readonly Followers _followers = new("events", MostFollowers, lifetime);

    /// <summary>A stream of the events that match, from the filter's first page, or from where the client broke off.</summary>
    public IResult Follow(HttpContext http, EventFilter filter)
    {
        string? last = http.Request.Headers["Last-Event-ID"];
        if (string.IsNullOrEmpty(last)) return Stream(filter);
        return EventPlace.TryParse(last) is { } place
            ? Stream(filter with { After = place })
            : Problems.Invalid("Last-Event-ID", "must be the id of an event in a stream, such as 120 or 120,eu-1:55.");
    }

    private IResult Stream(EventFilter filter) => _followers.Stream((response, ending) => new EventStream(events, filter, response, time, log).Run(ending));
}
