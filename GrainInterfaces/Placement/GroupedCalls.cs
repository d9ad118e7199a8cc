namespace Hosting.Placement;

/// <summary>Makes few calls of many, without a delay: while some are under way, what comes meanwhile gathers for the next.</summary>
/// <typeparam name="TItem">What one caller asks.</typeparam>
/// <typeparam name="TResult">What it is answered.</typeparam>
/// <param name="call">Answers many at once, in their order.</param>
/// <param name="weight">How much of a call an item takes.</param>
/// <param name="mostWeight">How much a call may carry.</param>
internal sealed class GroupedCalls<TItem, TResult>(
    Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> call, Func<TItem, int> weight, int mostWeight)
{
    // As many as the silo's writers commit at once, and one that is decided or on its way meanwhile.
    private const int CallsAtOnce = 4;
    private const int MostWaiting = 65_536;
    private const int MostInACall = 512;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = new();
    private int _underWay;

    public Task<TResult> Call(TItem item)
    {
        var waiting = new Waiting(item);
        lock (_lock)
        {
            if (_waiting.Count >= MostWaiting)
                throw new InvalidOperationException($"{MostWaiting} requests wait already; try again later.");
            _waiting.Enqueue(waiting);
            if (_underWay == CallsAtOnce)
                return waiting.Answer.Task;
            _underWay++;
        }
        _ = Pump();
        return waiting.Answer.Task;
    }

    /// <summary>Never throws: every failure is its callers'.</summary>
    private async Task Pump()
    {
        // What others ask in the same moment goes along.
        await Task.Yield();
        while (Take() is { Count: > 0 } group)
            await Send(group);
    }

    private List<Waiting> Take()
    {
        var group = new List<Waiting>();
        var total = 0;
        lock (_lock)
        {
            while (group.Count < MostInACall && _waiting.TryPeek(out var next) && (group.Count == 0 || total + weight(next.Item) <= mostWeight))
            {
                total += weight(next.Item);
                group.Add(_waiting.Dequeue());
            }
            if (group.Count == 0)
                _underWay--;
        }
        return group;
    }

    private async Task Send(List<Waiting> group)
    {
        try
        {
            var answers = await call(group.ConvertAll(waiting => waiting.Item));
            for (var i = 0; i < group.Count; i++)
                group[i].Answer.SetResult(answers[i]);
        }
        catch (Exception failure)
        {
            foreach (var waiting in group)
                waiting.Answer.TrySetException(failure);
        }
    }

    private sealed record Waiting(TItem Item)
    {
        public TaskCompletionSource<TResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
