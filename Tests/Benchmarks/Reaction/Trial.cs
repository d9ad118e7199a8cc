using System.Diagnostics;

namespace Hosting.Benchmarks.Reaction;

/// <summary>What one run of a scenario came to.</summary>
/// <param name="Times">Times from the cause on, in the order of the scenario's figures.</param>
/// <param name="Failures">What was wrong with each request that failed.</param>
/// <param name="Sent">Requests sent.</param>
/// <param name="Slowest">The slowest request that was answered.</param>
internal sealed record Outcome(IReadOnlyList<TimeSpan> Times, IReadOnlyList<string> Failures, int Sent, TimeSpan Slowest);

/// <summary>One app under load, before and after something happens to it. The same for both sides.</summary>
internal sealed class Trial(ConstantLoad load, CancellationToken cancellation)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);
    // Whoever does not answer one of a hundred requests in this time has gone.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>When it began to happen.</summary>
    public long Begun { get; private set; }

    /// <summary>Lets something happen to an app that all of its replicas answer for, and measures until it is over.</summary>
    /// <param name="next">Where the next request goes.</param>
    /// <param name="host">With this host name.</param>
    /// <param name="replicas">Replicas of the app.</param>
    /// <param name="cause">Lets it happen; answers which replicas have to go, of those that it is given.</param>
    /// <param name="others">Other figures of the same cause, in their order before the last.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<Outcome> Run(
        Func<Uri?> next, string host, int replicas, Func<IReadOnlySet<string>, Task<IReadOnlySet<string>>> cause,
        Func<Trial, Task<IReadOnlyList<TimeSpan>>>? others, CancellationToken cancellation)
    {
        await using var load = ConstantLoad.Start(next, host);
        var trial = new Trial(load, cancellation);
        var here = await trial.Answering(replicas);
        var before = load.After(0).Count;
        trial.Begun = Stopwatch.GetTimestamp();
        var gone = await cause(here);
        var recovery = trial.Recovered(new Recovery(Stopwatch.GetTimestamp(), replicas, gone), before);
        var times = others is null ? [] : await others(trial);
        var took = await recovery;
        return Sum([.. times, took], (await load.Stop()).Skip(before).ToList());
    }

    /// <summary>Time from the cause until a condition that is asked for holds.</summary>
    public async Task<TimeSpan> Until(Func<Task<bool>> condition)
    {
        while (!await condition())
            await Pause();
        return Stopwatch.GetElapsedTime(Begun);
    }

    private static Outcome Sum(IReadOnlyList<TimeSpan> times, List<Answer> answers)
    {
        var slowest = answers.Where(a => a.By is not null).Select(a => Stopwatch.GetElapsedTime(a.Sent, a.Ended)).DefaultIfEmpty().Max();
        return new Outcome(times, [.. answers.Select(a => a.Failure).OfType<string>()], answers.Count, slowest);
    }

    /// <summary>The app's replicas, once all have answered.</summary>
    private async Task<IReadOnlySet<string>> Answering(int replicas)
    {
        Begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var names = load.After(0).Select(a => a.By).OfType<string>().ToHashSet(StringComparer.Ordinal);
            if (names.Count >= replicas)
                return names;
            await Pause();
        }
    }

    private async Task<TimeSpan> Recovered(Recovery recovery, int taken)
    {
        while (recovery.At == 0 || Stopwatch.GetElapsedTime(recovery.At) < Quiet)
        {
            await Pause();
            foreach (var answer in load.After(taken))
            {
                recovery.Take(answer);
                taken++;
            }
        }
        return Stopwatch.GetElapsedTime(Begun, recovery.At);
    }

    private async Task Pause()
    {
        if (Stopwatch.GetElapsedTime(Begun) > Patience)
            throw new PreconditionException($"not all replicas answered within {Patience.TotalSeconds} s.");
        await Task.Delay(LookEvery, cancellation);
    }
}
