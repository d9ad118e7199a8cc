using System.Text.Json.Serialization;

namespace Hosting.Servers;

/// <summary>Where a check of a server is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CheckState>))]
public enum CheckState
{
    /// <summary>Its agent is measuring.</summary>
    [JsonStringEnumMemberName("running")] Running,

    /// <summary>There is a verdict.</summary>
    [JsonStringEnumMemberName("done")] Done,

    /// <summary>There will be none, for the reason given.</summary>
    [JsonStringEnumMemberName("failed")] Failed,
}

/// <summary>Whether a server's primary feels its VMs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CheckVerdict>))]
public enum CheckVerdict
{
    /// <summary>No more than is allowed, whatever the noise.</summary>
    [JsonStringEnumMemberName("notFelt")] NotFelt,

    /// <summary>More than is allowed, whatever the noise.</summary>
    [JsonStringEnumMemberName("felt")] Felt,

    /// <summary>The measurement does not say, for the reason given.</summary>
    [JsonStringEnumMemberName("cannotTell")] CannotTell,
}

/// <summary>One short window of a check.</summary>
/// <param name="PrimaryWait">Of the time in which threads of the primary could have run, the share they waited for a CPU, 0 to 1; null when it hardly ran, or the kernel does not tell.</param>
/// <param name="WakeupMillis">How late a periodic wake-up at the primary's weight came, 99 of 100 at most, in milliseconds.</param>
/// <param name="ContainersCpuMillis">CPU that the containers used, in thousandths of a core.</param>
[GenerateSerializer, Immutable, Alias("hosting.CheckWindow")]
public sealed record CheckWindow(
    [property: Id(0)] double? PrimaryWait, [property: Id(1)] double WakeupMillis, [property: Id(2)] int ContainersCpuMillis);

/// <summary>Two windows, one right after the other.</summary>
/// <param name="Held">With the containers held to nearly no CPU.</param>
/// <param name="Free">With the containers as they are.</param>
[GenerateSerializer, Immutable, Alias("hosting.CheckPair")]
public sealed record CheckPair([property: Id(0)] CheckWindow Held, [property: Id(1)] CheckWindow Free);

/// <summary>What an agent measured.</summary>
/// <param name="Pairs">In the order of time.</param>
/// <param name="Unprotected">Why the priority of its VMs is not in force; null when it is.</param>
/// <param name="Failure">Why it measured nothing; null when it did.</param>
[GenerateSerializer, Immutable, Alias("hosting.CheckMeasured")]
public sealed record CheckMeasured(
    [property: Id(0)] IReadOnlyList<CheckPair> Pairs, [property: Id(1)] string? Unprotected = null, [property: Id(2)] string? Failure = null);

/// <summary>One figure of a check: medians over its windows.</summary>
/// <param name="Held">With the containers held.</param>
/// <param name="Free">With the containers as they are.</param>
/// <param name="More">Median of what a window with the containers as they are has more than the one beside it.</param>
/// <param name="Noise">How far from that median half of these differences are.</param>
/// <param name="Allowed">What it may be more.</param>
/// <param name="Verdict">What this figure says.</param>
[GenerateSerializer, Immutable, Alias("hosting.CheckFigure")]
public sealed record CheckFigure(
    [property: Id(0)] double Held, [property: Id(1)] double Free, [property: Id(2)] double More, [property: Id(3)] double Noise,
    [property: Id(4)] double Allowed, [property: Id(5)] CheckVerdict Verdict);

/// <summary>A check of whether a server's primary feels its VMs.</summary>
[GenerateSerializer, Immutable, Alias("hosting.ServerCheck")]
public sealed record ServerCheck
{
    /// <summary>Where it is.</summary>
    [Id(0)] public required CheckState State { get; init; }

    /// <summary>When it began.</summary>
    [Id(1)] public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it was over; null while it runs.</summary>
    [Id(2)] public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The verdict; null without one.</summary>
    [Id(3)] public CheckVerdict? Verdict { get; init; }

    /// <summary>Why, with the numbers; null while it runs.</summary>
    [Id(4)] public string? Reason { get; init; }

    /// <summary>The primary's wait for a CPU, shares; null when it was not measured.</summary>
    [Id(5)] public CheckFigure? PrimaryWait { get; init; }

    /// <summary>How late wake-ups came, 99 of 100 at most, milliseconds; null when it was not measured.</summary>
    [Id(6)] public CheckFigure? WakeupMillis { get; init; }

    /// <summary>CPU of the containers while they were as they are, in thousandths of a core; null when it was not measured.</summary>
    [Id(7)] public int? ContainersCpuMillis { get; init; }

    /// <summary>What was measured, in the order of time.</summary>
    [Id(8)] public IReadOnlyList<CheckPair> Pairs { get; init; } = [];
}

/// <summary>What came of the wish to check a server.</summary>
/// <param name="Check">The check that began; null when none did.</param>
/// <param name="Refused">Why none began; null when one did.</param>
[GenerateSerializer, Immutable, Alias("hosting.CheckBegun")]
public sealed record CheckBegun([property: Id(0)] ServerCheck? Check, [property: Id(1)] string? Refused = null);
