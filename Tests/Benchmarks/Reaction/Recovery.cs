namespace Hosting.Benchmarks.Reaction;

/// <summary>
/// Follows a load from a cause on: over when so many different replicas have answered requests sent after it, and none of those
/// that had to go answers any more.
/// </summary>
internal sealed class Recovery(long since, int replicas, IReadOnlySet<string> gone)
{
    private readonly HashSet<string> _answering = new(StringComparer.Ordinal);
    private long _complete;
    private long _lastOfGone;

    /// <summary>When it was over as far as is known, as a timestamp; 0 while replicas are missing.</summary>
    public long At => _complete == 0 ? 0 : Math.Max(_complete, _lastOfGone);

    public void Take(Answer answer)
    {
        if (answer.By is not { } name || answer.Sent < since)
            return;
        if (gone.Contains(name))
            _lastOfGone = Math.Max(_lastOfGone, answer.Ended);
        else if (_answering.Add(name) && _answering.Count == replicas)
            _complete = answer.Ended;
    }
}
