using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace Hosting.Cli.Api;

/// <summary>Reads a stream of server-sent events, and takes it up again where it broke off.</summary>
internal sealed class EventReader(ApiClient api, string path, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private string? _last;

    /// <summary>The events, until cancelled. Interruptions are told to <paramref name="interrupted"/>.</summary>
    /// <exception cref="CommandException">The first attempt failed already.</exception>
    public async IAsyncEnumerable<SseItem<string>> Read(Action<string> interrupted, [EnumeratorCancellation] CancellationToken cancel)
    {
        var response = await api.Open(path, _last, cancel);
        while (true)
        {
            await foreach (var item in ReadOne(response, cancel)) yield return item;
            interrupted("the stream was interrupted; it is taken up again.");
            response = await Reopen(cancel);
        }
    }

    private async IAsyncEnumerable<SseItem<string>> ReadOne(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var _ = response;
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        await using var events = SseParser.Create(body).EnumerateAsync(cancel).GetAsyncEnumerator(cancel);
        while (await Next(events))
        {
            _last = events.Current.EventId ?? _last;
            yield return events.Current;
        }
    }

    /// <summary>False when the stream ended or broke.</summary>
    private static async Task<bool> Next(IAsyncEnumerator<SseItem<string>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> Reopen(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Pause, time, cancel);
            try
            {
                return await api.Open(path, _last, cancel);
            }
            catch (Exception e) when (e is NoAnswerException or ApiException { IsPassing: true })
            {
                // The platform is down or restarting: go on asking until the user ends it.
            }
        }
    }
}
