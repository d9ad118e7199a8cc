using System.Text.Json;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>
/// Writes lines as server-sent events. The id of a line says how far the reader has come in every container. What is not a
/// line has a name: <c>note</c>, a sentence for people, and <c>end</c>, after which nothing comes.
/// </summary>
internal sealed class LogWriter(HttpResponse response, LogCursor cursor)
{
    /// <summary>Sends the head of the answer.</summary>
    public async Task Open(CancellationToken cancel)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        await response.WriteAsync("retry: 1000\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }

    /// <summary>Lines of several containers.</summary>
    public async Task Lines(IReadOnlyList<AppLine> lines, CancellationToken cancel)
    {
        foreach (var line in lines)
        {
            cursor[line.Container] = line.Line.Position;
            await Line(line, cursor.ToString(), cancel);
        }
        await response.Body.FlushAsync(cancel);
    }

    /// <summary>Lines of one container.</summary>
    public async Task Lines(string container, IReadOnlyList<LogLine> lines, CancellationToken cancel)
    {
        var others = cursor.Others(container);
        foreach (var line in lines)
        {
            cursor[container] = line.Position;
            await Line(new AppLine(container, line), cursor.Id(container, line.Position, others), cancel);
        }
        await response.Body.FlushAsync(cancel);
    }

    /// <summary>A sentence for people.</summary>
    public Task Note(string sentence, CancellationToken cancel) => Named("note", sentence, cancel);

    /// <summary>Why nothing comes any more.</summary>
    public Task End(string sentence, CancellationToken cancel) => Named("end", sentence, cancel);

    /// <summary>Shows whoever is between that the stream is alive.</summary>
    public async Task Beat(CancellationToken cancel)
    {
        await response.WriteAsync(":\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }

    private Task Line(AppLine line, string id, CancellationToken cancel) =>
        response.WriteAsync($"id: {id}\ndata: {JsonSerializer.Serialize(LogLineView.Of(line), ApiJson.OneLine)}\n\n", cancel);

    private async Task Named(string name, string sentence, CancellationToken cancel)
    {
        await response.WriteAsync($"event: {name}\ndata: {JsonSerializer.Serialize(new { message = sentence }, ApiJson.OneLine)}\n\n", cancel);
        await response.Body.FlushAsync(cancel);
    }
}
