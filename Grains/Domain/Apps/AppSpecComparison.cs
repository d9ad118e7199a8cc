using System.Text.Json;
using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>When two specs mean the same.</summary>
public static class AppSpecComparison
{
    /// <summary>Whether they are the same in every field.</summary>
    public static bool AreSame(AppSpec a, AppSpec b) => Canonical(a) == Canonical(b);

    /// <summary>
    /// Whether a container of the one is a container of the other: only then do both have the same revision. Number, regions,
    /// hostnames and rollout can change while the containers stay.
    /// </summary>
    public static bool RunTheSame(AppSpec a, AppSpec b) => Canonical(Process(a)) == Canonical(Process(b));

    private static AppSpec Process(AppSpec spec) =>
        spec with
        {
            Replicas = 0, Regions = null, MinPerRegion = 0, Failover = false, Hostnames = null, Rollout = null, Spread = default, Placement = default,
        };

    private static string Canonical(AppSpec spec) => JsonSerializer.Serialize(spec with
    {
        Command = NullIfEmpty(spec.Command),
        Args = NullIfEmpty(spec.Args),
        Regions = NullIfEmpty(spec.Regions),
        Hostnames = NullIfEmpty(spec.Hostnames),
        Env = Sorted(spec.Env),
        Constraints = Sorted(spec.Constraints),
    });

    private static IReadOnlyList<T>? NullIfEmpty<T>(IReadOnlyList<T>? items) => items is { Count: > 0 } ? items : null;

    private static SortedDictionary<string, string>? Sorted(IReadOnlyDictionary<string, string>? pairs) =>
        pairs is { Count: > 0 } ? new(pairs.ToDictionary(), StringComparer.Ordinal) : null;
}
