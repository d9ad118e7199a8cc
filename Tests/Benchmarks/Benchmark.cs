namespace Hosting.Benchmarks;

/// <summary>What can be run by name.</summary>
/// <param name="About">One line for the list.</param>
/// <param name="Run">Measures; takes the words after the name.</param>
/// <param name="Stops">Whether it ends by itself, and cleans up, when it is interrupted.</param>
internal sealed record Benchmark(string About, Func<IReadOnlyList<string>, Task<Report>> Run, bool Stops)
{
    /// <summary>One that takes no arguments and is ended by an interrupt.</summary>
    public Benchmark(string about, Func<Task<Report>> run) : this(about,
        arguments => arguments.Count == 0 ? run() : throw new UsageException($"It takes no '{arguments[0]}'."), Stops: false)
    {
    }

    /// <summary>One that takes arguments, and stops when told to.</summary>
    public Benchmark(string about, Func<IReadOnlyList<string>, Task<Report>> run) : this(about, run, Stops: true)
    {
    }
}
