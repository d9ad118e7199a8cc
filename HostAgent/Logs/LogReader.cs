namespace Hosting.HostAgent.Logs;

/// <summary>
/// Somebody's reading of one container's log: reads a little ahead of what is asked for, and no further, so that a flood of
/// lines stays where it is, on the engine's disk.
/// </summary>
internal sealed class LogReader : IDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly LineBuffer _ahead = new();

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

    /// <summary>What there is, up to the limits of one answer, waiting for the first line; whether the log ended before one came.</summary>
    /// <exception cref="Exception">The engine's failure, once every line before it was taken.</exception>
    public async Task<(IReadOnlyList<ParsedLine> Lines, bool Ended)> TakeAsync(TimeSpan wait, CancellationToken cancellation)
    {
        var (lines, ended) = await _ahead.TakeAsync(wait, cancellation);
        if (lines.Count > 0)
            Next = lines[^1].Place;
        return (lines, ended);
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
                await _ahead.AddAsync(line, closed);
            _ahead.End(null);
        }
        catch (Exception error)
        {
            // Whoever asks next is told.
            _ahead.End(error);
        }
    }
}
