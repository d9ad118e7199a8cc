using Hosting.Placement;

namespace Hosting.Benchmarks.Placement;

/// <summary>What callers ask for.</summary>
internal static class Demands
{
    private static readonly string[] Apps = [.. Enumerable.Range(0, 2_000).Select(app => $"app-{app}")];
    // Small, so that a row of the table does not fill its region.
    private static readonly Demand[] Sizes = [new(10, 16), new(10, 32), new(20, 16), new(20, 32)];

    public static string App() => Apps[Random.Shared.Next(Apps.Length)];

    public static Demand Some() => Sizes[Random.Shared.Next(Sizes.Length)];

    /// <summary>Hardly ever the same twice.</summary>
    public static Demand Any() => new(Random.Shared.Next(1, 60_000), Random.Shared.Next(1, 250_000));

    /// <summary>So many different ones that no two VMs are left alike.</summary>
    public static Demand Small() => new(Random.Shared.Next(1, 15_000), Random.Shared.Next(1, 50_000));

    /// <summary>No <see cref="Large"/> demand asks for less.</summary>
    public static Demand LeastLarge { get; } = new(20_000, 60_000);

    /// <summary>Hardly ever the same twice.</summary>
    public static Demand Large() => new(Random.Shared.Next(LeastLarge.CpuMillis, 60_000), Random.Shared.Next(LeastLarge.MemoryMiB, 250_000));

    public static PlacementRequest Request(Demand demand, int count) =>
        new() { App = App(), Revision = 1, Demand = demand, Count = count, Spread = Spread.Server };
}
