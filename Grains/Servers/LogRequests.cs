using Hosting.Servers;

namespace Hosting.Grains.Servers;

/// <summary>Reads of logs that wait for an agent's answer. An answer that nobody waits for any more is dropped: its lines are asked for again.</summary>
internal sealed class LogRequests(TimeProvider clock)
{
    /// <summary>The agent serves no more readers, and what is sent to it must not crowd out desired states.</summary>
    private const int Most = 32;

    // The agent waits for lines for 2 s; a grain call may take 5.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    private readonly Dictionary<long, TaskCompletionSource<LogChunk>> _waiting = [];
    private long _last;

    /// <summary>Asks and waits for the answer.</summary>
    /// <param name="read">What is asked for.</param>
    /// <param name="ask">Sends it, with a number that comes back in the answer.</param>
    public async Task<LogChunk> Ask(LogRead read, Action<long> ask)
    {
        if (_waiting.Count >= Most)
            return new LogChunk { State = LogState.Refused, Next = read.From, Reason = $"{Most} logs of its server are being read already" };
        var request = ++_last;
        var answer = new TaskCompletionSource<LogChunk>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[request] = answer;
        try
        {
            ask(request);
            return await answer.Task.WaitAsync(Deadline, clock);
        }
        catch (TimeoutException)
        {
            return Away(read.From, "its agent does not answer");
        }
        catch (OperationCanceledException)
        {
            return Away(read.From, "its agent is not connected");
        }
        finally
        {
            _waiting.Remove(request);
        }
    }

    /// <summary>An agent's answer.</summary>
    public void Answer(long request, LogChunk chunk) => _waiting.GetValueOrDefault(request)?.TrySetResult(chunk);

    /// <summary>The agent is gone: nothing will be answered.</summary>
    public void GiveUp()
    {
        foreach (var answer in _waiting.Values)
            answer.TrySetCanceled();
    }

    /// <summary>The answer for an agent that is not there.</summary>
    public static LogChunk Away(LogPosition from, string reason) => new() { State = LogState.Away, Next = from, Reason = reason };
}
