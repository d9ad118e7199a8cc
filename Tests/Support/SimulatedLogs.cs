using Hosting.Protocol;

namespace Hosting.Support;

/// <summary>Logs in memory, read as an agent reads those of its engines.</summary>
public sealed class SimulatedLogs
{
    private readonly Dictionary<string, List<LogLine>> _logs = [];
    private readonly Lock _lock = new();
    private long _at = 1_700_000_000_000_000_000;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lines of one answer at most.</summary>
    public int AnswerLines { get; set; } = 100;

    /// <summary>Writes a line; each gets a later time than all before it, unless it is to share the time of the last one.</summary>
    public void Write(string container, string text, bool sameTime = false, bool error = false)
    {
        lock (_lock)
        {
            var log = Of(container);
            var at = sameTime ? _at : _at += 1_000_000;
            var count = log.Count(line => line.Position.At == at) + 1;
            log.Add(new LogLine { Position = new LogPosition { At = at, Count = count }, Error = error, Text = text });
            _changed.TrySetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Answers a request.</summary>
    public async Task<LogLines> Read(ReadLogs read, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(read.WaitMillis);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                var lines = Behind(read);
                if (lines.Count > 0 || !read.Follow)
                    return Answer(read, lines);
                changed = _changed.Task;
            }
            await changed.WaitAsync(deadline.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            if (deadline.IsCancellationRequested)
                return new LogLines { State = LogState.Open, Next = read.From };
        }
    }

    private LogLines Answer(ReadLogs read, List<LogLine> lines)
    {
        var some = lines.Take(AnswerLines).ToList();
        var answer = new LogLines
        {
            State = some.Count > 0 ? LogState.Open : LogState.End,
            Next = some.LastOrDefault()?.Position ?? (read.HasTail ? Of(read.Container).LastOrDefault()?.Position : null) ?? read.From,
        };
        answer.Lines.AddRange(some);
        return answer;
    }

    private List<LogLine> Behind(ReadLogs read)
    {
        var lines = Of(read.Container).Where(line => (line.Position.At, line.Position.Count).CompareTo((read.From.At, read.From.Count)) > 0).ToList();
        return read.HasTail ? [.. lines.TakeLast(read.Tail)] : lines;
    }

    private List<LogLine> Of(string container) => _logs.TryGetValue(container, out var log) ? log : _logs[container] = [];
}
