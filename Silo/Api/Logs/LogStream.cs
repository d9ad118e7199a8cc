using System.Threading.Channels;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>
/// One client's stream of an app's logs: what there is, then what comes, from the containers that are there and from those that
/// appear. Nothing is read from a container that the client has not taken, so a slow client costs nothing.
/// </summary>
internal sealed class LogStream(LogRequest request, LogSources sources, LogHistory history, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(500);

    private readonly Channel<Piece> _pieces = Channel.CreateBounded<Piece>(16);
    private readonly Dictionary<string, Follower> _followers = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];

    /// <summary>Sends lines until cancelled, or until nothing can come any more.</summary>
    public async Task Run(HttpResponse response, CancellationToken cancel)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var cursor = request.Resume ?? new LogCursor(request.App);
        var writer = new LogWriter(response, cursor);
        var others = Task.CompletedTask;
        try
        {
            await writer.Open(cancel);
            foreach (var source in request.Resume is null ? await Begin(writer, cursor, cancel) : await Resume(writer, cursor, cancel))
                Follow(source, ends.Token);
            others = Task.WhenAll(Supervise(Watch(ends.Token)), Supervise(Beat(ends.Token)));
            await Write(writer, cursor, cancel);
        }
        finally
        {
            await ends.CancelAsync();
            await others;
            await Task.WhenAll(_running);
            foreach (var follower in _followers.Values) follower.Log.Close();
        }
    }

    /// <summary>Tells what there is; how far each log was told is in the cursor then, and how far it was read in the log.</summary>
    private async Task<IReadOnlyList<ContainerLog>> Begin(LogWriter writer, LogCursor cursor, CancellationToken cancel)
    {
        var logs = request.Containers.Known.Select(container => sources.Open(container, request.Query.From)).ToList();
        var (lines, missing) = await history.Read(logs, request.Query.Tail, cancel);
        foreach (var unanswered in logs.Where(one => !one.Answered)) unanswered.SkipTo(LogPosition.Since(time.GetUtcNow()));
        foreach (var one in logs) cursor[one.Id] = one.Next;
        foreach (var line in lines.Reverse()) cursor[line.Container] = line.Line.Position with { Count = line.Line.Position.Count - 1 };
        if (missing is not null) await writer.Note(missing, cancel);
        await writer.Lines(lines, cancel);
        return logs;
    }

    private async Task<IReadOnlyList<ContainerLog>> Resume(LogWriter writer, LogCursor cursor, CancellationToken cancel)
    {
        var logs = request.Containers.Known.Select(container => sources.Open(container, cursor[container.Id])).ToList();
        foreach (var gone in cursor.Containers.Except(logs.Select(one => one.Id)).Where(_ => request.Containers.Missing.Count == 0).ToList())
        {
            cursor.Remove(gone);
            await writer.Note($"{gone} was stopped meanwhile; what it wrote last is gone with it", cancel);
        }
        return logs;
    }

    private void Follow(ContainerLog source, CancellationToken cancel)
    {
        var follower = new Follower(source);
        _followers[source.Id] = follower;
        _running.Add(Supervise(Read(follower, cancel)));
    }

    /// <summary>Reads one container's log to its end.</summary>
    private async Task Read(Follower follower, CancellationToken cancel)
    {
        var away = false;
        while (true)
        {
            var chunk = await follower.Log.Read(tail: null, follow: true, cancel);
            if (chunk.Lines.Count > 0)
                await _pieces.Writer.WriteAsync(new(follower.Log.Id, chunk.Lines, null), cancel);
            var trouble = chunk.State is LogState.Away or LogState.Refused;
            if (chunk.State == LogState.Gone || (follower.Over && chunk.State != LogState.Open))
                break;
            if (trouble && !away)
                await _pieces.Writer.WriteAsync(Piece.Note($"{follower.Log.Id}: {chunk.Reason}; its lines follow when that is over"), cancel);
            away = trouble;
            if (chunk.State != LogState.Open)
                await Task.Delay(AskAgain, time, cancel);
        }
        await _pieces.Writer.WriteAsync(new(follower.Log.Id, [], $"{follower.Log.Id} is over"), cancel);
    }

    /// <summary>Follows containers as they appear, and sees which are over.</summary>
    private async Task Watch(CancellationToken cancel)
    {
        var warned = false;
        while (true)
        {
            await Task.Delay(Look, time, cancel);
            if (await LookUp(cancel) is not { } live)
                continue;
            var ids = live.Known.Select(container => container.Id).ToHashSet(StringComparer.Ordinal);
            // A container whose database does not answer goes on for all that is known.
            foreach (var follower in _followers.Values.Where(one => live.Missing.Count == 0 && !ids.Contains(one.Log.Id))) follower.Over = true;
            foreach (var container in live.Known.Where(one => !_followers.ContainsKey(one.Id)))
            {
                if (_followers.Values.Count(one => !one.Over) < LogSources.MostContainers) Follow(sources.Open(container, default), cancel);
                else if (!warned) await Warn();
            }
            if (live is { Known.Count: 0, Missing.Count: 0 } && _running.TrueForAll(reading => reading.IsCompleted) && await sources.IsOver(request, cancel))
                break;
        }
        _pieces.Writer.TryComplete();

        async Task Warn()
        {
            warned = true;
            await _pieces.Writer.WriteAsync(Piece.Note($"more than {LogSources.MostContainers} containers: the others are not shown; ask for one with container="), cancel);
        }
    }

    private async Task<LiveContainers?> LookUp(CancellationToken cancel)
    {
        try
        {
            return await sources.Live(request.App, request.Container, cancel);
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            log.LogDebug("The containers of {App} could not be read, tried again: {Reason}", request.App, e.Message);
            return null;
        }
    }

    private async Task Beat(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Heartbeat, time, cancel);
            _pieces.Writer.TryWrite(default);
        }
    }

    private async Task Write(LogWriter writer, LogCursor cursor, CancellationToken cancel)
    {
        await foreach (var piece in _pieces.Reader.ReadAllAsync(cancel))
        {
            if (piece is { Container: { } container, Lines.Count: > 0 })
                await writer.Lines(container, piece.Lines, cancel);
            else if (piece.Container is { } over)
                cursor.Remove(over);
            if (piece.Sentence is { } sentence)
                await writer.Note(sentence, cancel);
            else if (piece.Container is null)
                await writer.Beat(cancel);
        }
        await writer.End(request.Container is { } one ? $"{one} is over" : $"app {request.App} is gone", cancel);
    }

    /// <summary>Whatever ends a part in a way that was not meant ends the stream; the client takes it up again.</summary>
    private async Task Supervise(Task part)
    {
        try
        {
            await part;
        }
        catch (OperationCanceledException)
        {
            // The stream ends.
        }
        catch (Exception e)
        {
            _pieces.Writer.TryComplete(e);
        }
    }

    /// <summary>What is to be written next. Without a container and a sentence it is a heartbeat; without lines the container is over.</summary>
    private readonly record struct Piece(string? Container, IReadOnlyList<LogLine> Lines, string? Sentence)
    {
        public static Piece Note(string sentence) => new(null, [], sentence);
    }

    private sealed class Follower(ContainerLog log)
    {
        public ContainerLog Log => log;

        /// <summary>Its record says that it is over: once its agent has no more of it, nothing comes.</summary>
        public volatile bool Over;
    }
}
