namespace Hosting.Benchmarks.Placement;

/// <summary>What each side has used of the processors.</summary>
internal readonly record struct ProcessorTimes(TimeSpan Client, TimeSpan Silo, TimeSpan Postgres)
{
    public static ProcessorTimes operator -(ProcessorTimes later, ProcessorTimes earlier) =>
        new(later.Client - earlier.Client, later.Silo - earlier.Silo, later.Postgres - earlier.Postgres);
}
