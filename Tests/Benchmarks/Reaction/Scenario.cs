namespace Hosting.Benchmarks.Reaction;

/// <summary>Something that happens, on our side and on Swarm's where it has an equal.</summary>
/// <param name="Name">For the command line.</param>
/// <param name="Figures">What is timed, in the order of an outcome's times.</param>
/// <param name="Sides">Ours first, then Swarm's.</param>
/// <param name="Seconds">About how long one run of all sides takes, with making and removing the app.</param>
internal sealed record Scenario(string Name, IReadOnlyList<Timed> Figures, IReadOnlyList<Side> Sides, int Seconds)
{
    /// <summary>The same done by the engine alone; null where that says nothing.</summary>
    public Func<Task<TimeSpan>>? Bare { get; init; }

    /// <summary>Whether no request may fail on our side.</summary>
    public bool NoneFails { get; init; } = true;
}

/// <summary>A time that is measured.</summary>
/// <param name="What">From what to what.</param>
/// <param name="AtMost">Seconds to reach at the 99th percentile; null: half of Swarm's, where there is one.</param>
internal sealed record Timed(string What, double? AtMost = null);

/// <summary>Who is measured.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Run">One run.</param>
internal sealed record Side(string Name, Func<CancellationToken, Task<Outcome>> Run);
