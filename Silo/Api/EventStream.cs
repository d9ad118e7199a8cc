using System.Text.Json;
using Hosting.Grains.Storage;

namespace Hosting.Silo.Api;

/// <summary>One client's stream of server-sent events.</summary>
internal sealed class EventStream(EventLog events, EventFilter filter, HttpResponse response, TimeProvider time, ILogger log)
{
    private const int PageSize = 1_000;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PollAfterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private EventPlace? _place = filter.After;
    private long _lastWrite;

    /// <summary>Sends what there is and what comes, until cancelled.</summary>
    public async Task Run(CancellationToken cancel)
    {
        var page = await events.Read(filter, cancel).Bounded(cancel);
        await Open(cancel);
        while (true)
        {
            await Send(page, cancel);
            _place = page.Next;
            await Task.Delay(Poll, time, cancel);
            page = await ReadNext(cancel);
        }
    }

    private async Task Open(CancellationToken cancel)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        await Write($"retry: {PollAfterFailure.TotalMilliseconds:0}\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }

    private async Task Send(EventPage page, CancellationToken cancel)
    {
        var place = page.Before;
        foreach (var happened in page.Events)
        {
            place = place.Past(happened.Database, happened.Id);
            await Write($"id: {place}\ndata: {JsonSerializer.Serialize(happened, ApiJson.OneLine)}\n\n", cancel);
        }
        if (time.GetElapsedTime(_lastWrite) > Heartbeat) await Write(":\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }

    private async Task<EventPage> ReadNext(CancellationToken cancel)
    {
        try
        {
            return await events.Read(filter with { After = _place, Limit = PageSize }, cancel).Bounded(cancel);
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            log.LogWarning("The event log could not be read: {Reason}. Followers wait; look at the health of PostgreSQL.", e.Message);
            await Task.Delay(PollAfterFailure, time, cancel);
            return new EventPage([], _place!, _place!, []);
        }
    }

    private Task Write(string text, CancellationToken cancel)
    {
        _lastWrite = time.GetTimestamp();
        return response.WriteAsync(text, cancel);
    }
}
