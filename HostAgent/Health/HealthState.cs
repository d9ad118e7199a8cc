using Hosting.Protocol;

namespace Hosting.HostAgent.Health;

/// <summary>What a container's checks say since its process started last. Immutable and pure.</summary>
internal readonly record struct HealthState
{
    /// <summary>Whether it gets traffic.</summary>
    public bool Healthy { get; private init; }

    /// <summary>Why not; null when it is, and while it is given time to start.</summary>
    public string? Reason { get; private init; }

    /// <summary>Whether there was a check at all.</summary>
    public bool Checked { get; private init; }

    private int Row { get; init; }

    private bool WasHealthy { get; init; }

    /// <summary>The state after one more check.</summary>
    /// <param name="rules">Thresholds.</param>
    /// <param name="failure">What failed; null when it passed.</param>
    /// <param name="sinceStart">Time since the process started.</param>
    public HealthState After(HealthRules rules, string? failure, TimeSpan sinceStart)
    {
        var passed = failure is null;
        // A container that answered once has started: its grace is over.
        if (!passed && !WasHealthy && sinceStart < rules.Grace)
            return this with { Checked = true, Row = 0 };
        // Row counts checks in a row that speak against the present state.
        var row = passed == Healthy ? 0 : Row + 1;
        var flips = row >= (passed ? rules.HealthyAfter : rules.UnhealthyAfter);
        var healthy = flips ? passed : Healthy;
        return new HealthState
        {
            Healthy = healthy,
            Checked = true,
            Row = flips ? 0 : row,
            WasHealthy = WasHealthy || healthy,
            Reason = healthy ? null : failure ?? Reason,
        };
    }
}

/// <summary>How a container is checked.</summary>
/// <param name="Path">Path of a GET; empty: the port accepts a connection.</param>
/// <param name="Interval">Time between two checks.</param>
/// <param name="Timeout">Time until a check has failed.</param>
/// <param name="HealthyAfter">Passed checks in a row that make it healthy.</param>
/// <param name="UnhealthyAfter">Failed checks in a row that make it unhealthy.</param>
/// <param name="Grace">Time after the start in which failures do not count, unless it was healthy before.</param>
internal sealed record HealthRules(string Path, TimeSpan Interval, TimeSpan Timeout, int HealthyAfter, int UnhealthyAfter, TimeSpan Grace)
{
    /// <summary>How long an accepted connection has to stay open, where a proxy accepts before the container; else no time at all.</summary>
    public TimeSpan Settle { get; init; }

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(5);
    private static readonly HealthCheck Default = new() { IntervalSeconds = 2, TimeoutSeconds = 1, HealthyAfter = 1, UnhealthyAfter = 3, GracePeriodSeconds = 30 };

    /// <summary>From the wanted check; what it leaves out takes the platform's default.</summary>
    public static HealthRules From(HealthCheck? check)
    {
        check ??= Default;
        return new HealthRules(
            check.Path,
            Seconds(check.IntervalSeconds, Default.IntervalSeconds),
            Seconds(check.TimeoutSeconds, Default.TimeoutSeconds),
            check.HealthyAfter > 0 ? check.HealthyAfter : Default.HealthyAfter,
            check.UnhealthyAfter > 0 ? check.UnhealthyAfter : Default.UnhealthyAfter,
            TimeSpan.FromSeconds(Math.Max(0, check.GracePeriodSeconds)));
    }

    /// <summary>
    /// Time to the next check. While it is not healthy yet checks come quickly, so that it gets traffic within milliseconds of being
    /// ready, then ever slower, so that one that never comes up costs no more than one that is well.
    /// </summary>
    public TimeSpan Delay(bool healthy, int checksWhileUnhealthy)
    {
        if (healthy)
            return Interval;
        var quick = FirstDelay * Math.Pow(1.15, Math.Min(checksWhileUnhealthy, 100));
        return quick < Interval ? quick : Interval;
    }

    private static TimeSpan Seconds(int value, int fallback) => TimeSpan.FromSeconds(value > 0 ? value : fallback);
}
