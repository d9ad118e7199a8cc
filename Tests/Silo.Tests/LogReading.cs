using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Hosting.Silo.Tests;

/// <summary>A reader of an app's log stream, as any client of the API is one.</summary>
internal sealed class LogReading(SiloUnderTest silo, string path) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ends = new(TimeSpan.FromSeconds(60));
    private IAsyncEnumerator<SseItem<string>>? _items;

    /// <summary>Id of the last line.</summary>
    public string? LastId { get; private set; }

    /// <summary>Notes that came between the lines.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Drops the connection; the next read goes on with the last id.</summary>
    public async Task Break()
    {
        if (_items is not null) await _items.DisposeAsync();
        _items = null;
    }

    /// <summary>The next line's text after its container; null when the stream says that it is over.</summary>
    public async Task<string?> Next()
    {
        _items ??= Open(_ends.Token).GetAsyncEnumerator(_ends.Token);
        while (await _items.MoveNextAsync())
        {
            var item = _items.Current;
            var data = JsonNode.Parse(item.Data)!;
            if (item.EventType == "end") return null;
            if (item.EventType == "note")
            {
                Notes.Add((string)data["message"]!);
                continue;
            }
            LastId = item.EventId;
            return $"{data["container"]} {data["text"]}";
        }
        throw new InvalidOperationException("the stream broke");
    }

    /// <summary>The next lines.</summary>
    public async Task<List<string>> Next(int count)
    {
        var lines = new List<string>();
        while (lines.Count < count) lines.Add(await Next() ?? throw new InvalidOperationException("the stream is over"));
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        try
        {
            await Break();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
        }
        _ends.Dispose();
    }

    private async IAsyncEnumerable<SseItem<string>> Open([EnumeratorCancellation] CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (LastId is not null) request.Headers.Add("Last-Event-ID", LastId);
        using var response = await silo.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(body).EnumerateAsync(cancel)) yield return item;
    }
}
