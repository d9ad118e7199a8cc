using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>What there is of an app's logs now: read side by side from all of its containers, merged by time.</summary>
internal sealed class LogHistory(TimeProvider time)
{
    /// <summary>For all of it; what did not come until then is left out, and said.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(8);

    /// <summary>For a server that does not answer: it may just be changing silos.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>The lines, the newest last, and why some are missing; null when none is.</summary>
    public async Task<(IReadOnlyList<AppLine> Lines, string? Missing)> Read(IReadOnlyList<ContainerLog> logs, int tail, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        var newest = new NewestLines(tail);
        var missing = await Task.WhenAll(logs.Select(log => ReadOne(log, tail, newest, ends.Token)));
        cancel.ThrowIfCancellationRequested();
        var reasons = missing.OfType<string>().Append(newest.Cut ? "older lines did not fit into one answer" : null).OfType<string>().ToList();
        return (newest.InOrder(), reasons.Count == 0 ? null : string.Join("; ", reasons));
    }

    private async Task<string?> ReadOne(ContainerLog log, int tail, NewestLines newest, CancellationToken cancel)
    {
        var begun = time.GetTimestamp();
        int? first = tail;
        try
        {
            while (true)
            {
                var chunk = await log.Read(first, follow: false, cancel);
                if (chunk.State is LogState.Open)
                {
                    lock (newest) newest.Add(log.Id, chunk.Lines);
                    first = null;
                }
                else if (chunk.State is LogState.End or LogState.NotYet or LogState.Gone)
                    return chunk.State == LogState.NotYet && log.HasRun ? $"{log.Id}: {chunk.Reason}" : null;
                else if (time.GetElapsedTime(begun) > Patience)
                    return $"{log.Id}: {chunk.Reason}";
                else
                    await Task.Delay(Pause, time, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            return $"{log.Id}: its lines did not come in time";
        }
    }
}
