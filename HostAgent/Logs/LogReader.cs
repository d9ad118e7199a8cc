using System.Threading.Channels;

namespace Hosting.HostAgent.Logs;

/// <summary>
/// Somebody's reading of one container's log: reads a little ahead of what is asked for, and no further, so that a flood of
/// lines stays where it is, on the engine's disk.
/// </summary>
internal sealed class LogReader : IDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Channel<ParsedLine> _ahead = Channel.CreateBounded<ParsedLine>(
        new BoundedChannelOptions(LogLimits.QueuedLines) { SingleReader = true, SingleWriter = true });

    /// <param name="log">What it reads.</param>
    /// <param name="from">From behind this place.</param>
    /// <param name="follow">Whether it waits for lines to come.</param>
    public LogReader(EngineLog log, Place from, bool follow)
    {
        (Next, Follow) = (from, follow);
        _ = ReadAheadAsync(log, from);
    }

    /// <summary>Behind the last line that was taken.</summary>
    public Place Next { get; private set; }

    /// <summary>Whether it waits for lines to come.</summary>
    public bool Follow { get; }

    /// <summary>What there is, up to the limits of one answer, waiting for the first line; whether the log ended behind it.</summary>
    /// <exception cref="Exception">The engine's failure, once every line before it was taken.</exception>
    public async Task<(IReadOnlyList<ParsedLine> Lines, bool Ended)> TakeAsync(TimeSpan wait, CancellationToken cancellation)
    {
        var lines = new List<ParsedLine>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(wait);
        try
        {
            if (!await _ahead.Reader.WaitToReadAsync(deadline.Token))
                return (lines, true);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (lines, false);
        }

        for (var characters = 0; characters < LogLimits.AnswerCharacters && lines.Count < LogLimits.AnswerLines && _ahead.Reader.TryRead(out var line);)
        {
            lines.Add(line);
            characters += line.Text.Length;
            Next = line.Place;
        }

        return (lines, false);
    }

    public void Dispose()
    {
        _closed.Cancel();
        _closed.Dispose();
    }

    private async Task ReadAheadAsync(EngineLog log, Place from)
    {
        var closed = _closed.Token;
        try
        {
            await foreach (var line in log.ReadAsync(from, Follow, closed))
                await _ahead.Writer.WriteAsync(line, closed);
            _ahead.Writer.TryComplete();
        }
        catch (Exception error)
        {
            // Whoever asks next is told.
            _ahead.Writer.TryComplete(error);
        }
    }
}
