using System.Globalization;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Pressure;

/// <summary>What the last resort is decided by.</summary>
/// <param name="Memory">Share of the server's memory in use, by anyone.</param>
/// <param name="Limit">At or over it memory is nearly gone.</param>
/// <param name="Evict">Evict threshold of the server, as told last.</param>
/// <param name="EvictAfter">How long it may be over it.</param>
/// <param name="IsAlone">Whether the control plane is away, so that nobody else relieves the server.</param>
internal readonly record struct Plight(double Memory, double Limit, double Evict, TimeSpan EvictAfter, bool IsAlone);

/// <summary>That containers have to go now.</summary>
/// <param name="Target">Share of memory to come down to.</param>
/// <param name="Reason">Why, with the numbers.</param>
/// <param name="GraceSeconds">Time between SIGTERM and SIGKILL, at most.</param>
internal sealed record Verdict(double Target, string Reason, int GraceSeconds);

/// <summary>
/// When a server has to stop containers by itself: when its memory is nearly gone, or when it was over its evict threshold for too
/// long with the control plane away. CPU alone is never a reason: containers are throttled instead. Immutable and pure.
/// </summary>
internal readonly record struct LastResort
{
    /// <summary>One measurement may be a moment's; this long means two.</summary>
    public static readonly TimeSpan GoneFor = TimeSpan.FromMilliseconds(400);

    /// <summary>Memory needs a moment to come back: nobody else goes before that.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);

    /// <summary>Of containers that go because of the control plane's absence; where memory is nearly gone there is no time for any.</summary>
    private const int GraceSeconds = 2;

    /// <summary>So far below the limit memory has to come, or the next moment begins the same.</summary>
    private const double Margin = 0.05;

    private DateTimeOffset? GoneSince { get; init; }

    private DateTimeOffset? OverSince { get; init; }

    private DateTimeOffset PauseUntil { get; init; }

    /// <summary>The next state, and the verdict when there is one.</summary>
    public (LastResort Next, Verdict? Verdict) Next(Plight plight, DateTimeOffset now)
    {
        var next = this with
        {
            GoneSince = plight.Memory >= plight.Limit ? GoneSince ?? now : null,
            OverSince = plight.Memory > plight.Evict ? OverSince ?? now : null,
        };
        if (now < PauseUntil)
            return (next, null);
        var verdict = next.IsGone(now) ? Gone(plight) : next.IsOver(plight, now) ? Over(plight) : null;
        return (verdict is null ? next : next with { PauseUntil = now + Pause }, verdict);
    }

    /// <summary>
    /// The fewest that give enough memory back, or all when all are not enough. Among those the youngest: who has served longest
    /// stays longest.
    /// </summary>
    /// <param name="containers">Who can be stopped.</param>
    /// <param name="neededMiB">Memory to get back.</param>
    public static IReadOnlyList<ContainerUsage> Choose(IReadOnlyList<ContainerUsage> containers, int neededMiB)
    {
        var left = containers.OrderByDescending(one => one.Container.StartedAt ?? DateTimeOffset.MaxValue)
            .ThenByDescending(one => one.MemoryMiB).ThenBy(one => one.Container.Id, StringComparer.Ordinal).ToList();
        var count = Fewest(left, neededMiB);
        var chosen = new List<ContainerUsage>();
        while (chosen.Count < count)
        {
            // The youngest that leaves enough to the largest of the others.
            var after = count - chosen.Count - 1;
            var missing = neededMiB - chosen.Sum(one => one.MemoryMiB);
            var next = left.Find(one => one.MemoryMiB + Largest(left.Where(other => other != one), after) >= missing) ?? left[0];
            chosen.Add(next);
            left.Remove(next);
        }

        return chosen;
    }

    private static int Fewest(List<ContainerUsage> containers, int neededMiB)
    {
        var count = 0;
        while (count < containers.Count && Largest(containers, count) < neededMiB)
            count++;
        return count;
    }

    private static int Largest(IEnumerable<ContainerUsage> containers, int count) =>
        containers.Select(one => one.MemoryMiB).OrderDescending().Take(count).Sum();

    private bool IsGone(DateTimeOffset now) => now - GoneSince >= GoneFor;

    private bool IsOver(Plight plight, DateTimeOffset now) => plight.IsAlone && now - OverSince >= plight.EvictAfter;

    private static Verdict Gone(Plight plight) => new(plight.Limit - Margin,
        string.Create(CultureInfo.InvariantCulture, $"stopped by its server: memory {plight.Memory:0.00} over {plight.Limit:0.00}"), GraceSeconds: 0);

    private static Verdict Over(Plight plight) => new(plight.Evict, string.Create(CultureInfo.InvariantCulture,
        $"stopped by its server: memory {plight.Memory:0.00} over {plight.Evict:0.00} for {plight.EvictAfter.TotalSeconds:0} s with the control plane away"), GraceSeconds);
}
