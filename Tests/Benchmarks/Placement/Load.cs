using System.Diagnostics;

namespace Hosting.Benchmarks.Placement;

/// <summary>What callers got done in a window.</summary>
/// <param name="Rate">Rows a second.</param>
/// <param name="P50">Median time of a call.</param>
/// <param name="P99">99th percentile of the time of a call.</param>
/// <param name="Times">Processor time used in the window.</param>
/// <param name="Rows">Rows in the window.</param>
internal sealed record Measured(double Rate, TimeSpan P50, TimeSpan P99, ProcessorTimes Times, long Rows)
{
    /// <summary>Windows of the same load: means, and the worst 99th percentile.</summary>
    public static Measured Of(IReadOnlyList<Measured> windows) => new(
        windows.Average(w => w.Rate), TimeSpan.FromTicks((long)windows.Average(w => w.P50.Ticks)), windows.Max(w => w.P99),
        windows.Select(w => w.Times).Aggregate((sum, times) => sum + times), windows.Sum(w => w.Rows));
}

/// <summary>Callers that each make one call after the other. They start cold: only a window after their warm-up counts.</summary>
/// <param name="callers">How many at once.</param>
/// <param name="call">One call of a caller (counted from 0); answers how many rows it did, 0 when there is nothing more to do.</param>
internal sealed class Load(int callers, Func<int, Task<int>> call)
{
    // A second half that is faster than the first by more was still warming up.
    private const double Steady = 1.25;
    private const int MostWindows = 3;

    private readonly List<(long Begun, long Ended, int Rows)>[] _calls = [.. Enumerable.Range(0, callers).Select(_ => new List<(long, long, int)>(1 << 14))];
    private volatile bool _stop;

    /// <exception cref="PreconditionException">No window was steady, or the callers ran out of work.</exception>
    public async Task<Measured> Run(TimeSpan warmUp, TimeSpan window, Func<ProcessorTimes> times)
    {
        var running = Task.WhenAll(Enumerable.Range(0, callers).Select(Caller));
        try
        {
            await Task.WhenAny(running, Task.Delay(warmUp));
            for (var attempt = 1; ; attempt++)
            {
                var (from, before) = (Stopwatch.GetTimestamp(), times());
                await Task.WhenAny(running, Task.Delay(window));
                if (running.IsCompleted)
                    throw new PreconditionException("the callers ran out of work before the window was over.");
                var (to, after) = (Stopwatch.GetTimestamp(), times());
                if (Result(from, to, after - before, last: attempt == MostWindows) is { } measured)
                    return measured;
            }
        }
        finally
        {
            _stop = true;
            await running;
        }
    }

    private async Task Caller(int caller)
    {
        // Away from the starting thread, or the first caller would keep it.
        await Task.Yield();
        while (!_stop)
        {
            var begun = Stopwatch.GetTimestamp();
            var rows = await call(caller);
            if (rows == 0)
                return;
            lock (_calls[caller])
                _calls[caller].Add((begun, Stopwatch.GetTimestamp(), rows));
        }
    }

    private Measured? Result(long from, long to, ProcessorTimes times, bool last)
    {
        var calls = _calls.SelectMany(Snapshot).Where(c => c.Ended >= from && c.Ended < to).ToArray();
        var rows = calls.Sum(c => (long)c.Rows);
        var late = calls.Where(c => c.Ended >= from + (to - from) / 2).Sum(c => (long)c.Rows);
        if (late > Steady * (rows - late))
            return last ? throw new PreconditionException($"the warm-up was too short: {rows - late} rows in the first half of the window, {late} in the second.") : null;
        var took = calls.Select(c => c.Ended - c.Begun).Order().ToArray();
        return new Measured(rows / Stopwatch.GetElapsedTime(from, to).TotalSeconds, At(took, 0.50), At(took, 0.99), times, rows);
    }

    private static (long Begun, long Ended, int Rows)[] Snapshot(List<(long Begun, long Ended, int Rows)> calls)
    {
        lock (calls)
            return [.. calls];
    }

    private static TimeSpan At(long[] sorted, double share) => Stopwatch.GetElapsedTime(0, sorted[(int)(share * (sorted.Length - 1))]);
}
