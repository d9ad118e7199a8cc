namespace Hosting.HostAgent.Logs;

/// <summary>Lines that were read and not asked for yet: as many as one answer holds. Who has more waits until they are taken.</summary>
internal sealed class LineBuffer
{
    private readonly Lock _lock = new();
    private List<ParsedLine> _lines = [];
    private int _characters;
    private bool _ended;
    private Exception? _failure;
    private TaskCompletionSource? _change;

    /// <summary>Adds a line, once there is room.</summary>
    public async ValueTask AddAsync(ParsedLine line, CancellationToken cancellation)
    {
        while (!TryAdd(line))
            await ChangeAsync(() => HasRoom, Timeout.InfiniteTimeSpan, cancellation);
    }

    /// <summary>No line follows.</summary>
    /// <param name="failure">Why, when that was not meant.</param>
    public void End(Exception? failure)
    {
        lock (_lock)
        {
            (_ended, _failure) = (true, failure);
            Signal();
        }
    }

    /// <summary>Takes all lines, waiting for the first; empty when none came in time. Whether they ended before any came.</summary>
    /// <exception cref="Exception">The failure, once every line before it was taken.</exception>
    public async Task<(IReadOnlyList<ParsedLine> Lines, bool Ended)> TakeAsync(TimeSpan wait, CancellationToken cancellation)
    {
        await ChangeAsync(() => _ended || _lines.Count > 0, wait, cancellation);
        lock (_lock)
        {
            if (_lines.Count == 0)
                return _failure is null ? ([], _ended) : throw _failure;
            var taken = _lines;
            (_lines, _characters) = ([], 0);
            Signal();
            return (taken, false);
        }
    }

    private bool HasRoom => _lines.Count < LogLimits.AnswerLines && _characters < LogLimits.AnswerCharacters;

    private bool TryAdd(ParsedLine line)
    {
        lock (_lock)
        {
            if (!HasRoom)
                return false;
            _lines.Add(line);
            _characters += line.Text.Length;
            Signal();
            return true;
        }
    }

    /// <summary>Waits until a condition may hold or the time is over.</summary>
    private async Task ChangeAsync(Func<bool> isSo, TimeSpan wait, CancellationToken cancellation)
    {
        Task change;
        lock (_lock)
        {
            if (isSo())
                return;
            change = (_change ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        try
        {
            await change.WaitAsync(wait, cancellation);
        }
        catch (TimeoutException)
        {
            // Nothing came; whoever waits looks himself.
        }
    }

    private void Signal()
    {
        _change?.TrySetResult();
        _change = null;
    }
}
