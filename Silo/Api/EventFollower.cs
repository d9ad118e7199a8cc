using System.Globalization;
using Hosting.Grains.Storage;

namespace Hosting.Silo.Api;

/// <summary>Admits followers of the event log, up to a limit, and ends their streams when the silo stops.</summary>
internal sealed class EventFollower(EventLog events, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<EventFollower> log)
{
    /// <summary>Each one asks the store four times a second.</summary>
    private const int MostFollowers = 100;

    private int _followers;

    /// <summary>A stream of the events that match, from the filter's first page, or from where the client broke off.</summary>
    public IResult Follow(HttpContext http, EventFilter filter)
    {
        string? last = http.Request.Headers["Last-Event-ID"];
        if (string.IsNullOrEmpty(last)) return new Stream(this, filter);
        return long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? new Stream(this, filter with { AfterId = id })
            : Problems.Invalid("Last-Event-ID", "must be the id of an event, a whole number.");
    }

    private async Task Run(HttpContext http, EventFilter filter)
    {
        if (Interlocked.Increment(ref _followers) > MostFollowers)
        {
            Interlocked.Decrement(ref _followers);
            http.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
            await Problems.Unavailable($"This silo streams events to {MostFollowers} clients already.").ExecuteAsync(http);
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await new EventStream(events, filter, http.Response, time, log).Run(ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away or the silo stops: the client resumes with its last id.
        }
        finally
        {
            Interlocked.Decrement(ref _followers);
        }
    }

    private sealed class Stream(EventFollower follower, EventFilter filter) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => follower.Run(httpContext, filter);
    }
}
