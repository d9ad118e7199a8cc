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

    // Ids are given before transactions commit, so one can appear below another that was read already. Until an event
    // is this old, what comes after it is read again, and what was sent is left out.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private static readonly JsonSerializerOptions Json = CreateJson();

    private readonly HashSet<long> _sent = [];
    private long? _settled = filter.AfterId;
    private long _lastWrite;

    /// <summary>Sends what there is and what comes, until cancelled.</summary>
    public async Task Run(CancellationToken cancel)
    {
        var page = await events.Read(filter, cancel).Bounded(cancel);
        _settled ??= page.Count > 0 ? page[0].Id - 1 : 0;
        await Open(cancel);
        while (true)
        {
            await Send(page, cancel);
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

    private async Task Send(IReadOnlyList<PlatformEvent> page, CancellationToken cancel)
    {
        foreach (var happened in page.Where(e => _sent.Add(e.Id)))
            await Write($"id: {happened.Id}\ndata: {JsonSerializer.Serialize(happened, Json)}\n\n", cancel);
        Settle(page);
        if (time.GetElapsedTime(_lastWrite) > Heartbeat) await Write(":\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }

    private void Settle(IReadOnlyList<PlatformEvent> page)
    {
        var settledBefore = time.GetUtcNow() - Settling;
        // A full page is over, however young: what follows it could not be read otherwise.
        foreach (var happened in page.TakeWhile(e => e.At < settledBefore || page.Count >= PageSize))
        {
            _settled = happened.Id;
            _sent.Remove(happened.Id);
        }
    }

    private async Task<IReadOnlyList<PlatformEvent>> ReadNext(CancellationToken cancel)
    {
        try
        {
            return await events.Read(filter with { AfterId = _settled, Limit = PageSize }, cancel).Bounded(cancel);
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            log.LogWarning("The event log could not be read: {Reason}. Followers wait; look at the health of PostgreSQL.", e.Message);
            await Task.Delay(PollAfterFailure, time, cancel);
            return [];
        }
    }

    private Task Write(string text, CancellationToken cancel)
    {
        _lastWrite = time.GetTimestamp();
        return response.WriteAsync(text, cancel);
    }

    private static JsonSerializerOptions CreateJson()
    {
        var options = new JsonSerializerOptions();
        ApiJson.Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
