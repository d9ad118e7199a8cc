namespace Hosting.Servers;

/// <summary>
/// A place in a container's log: behind the first <paramref name="Count"/> lines of the time <paramref name="At"/>. Times never
/// fall from one line to the next, so places are ordered as lines are. The default is the beginning.
/// </summary>
/// <param name="At">UTC nanoseconds.</param>
/// <param name="Count">Lines of that time that lie before it.</param>
[GenerateSerializer, Immutable, Alias("hosting.LogPosition")]
public readonly record struct LogPosition([property: Id(0)] long At, [property: Id(1)] int Count) : IComparable<LogPosition>
{
    /// <summary>Compares times, then counts.</summary>
    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;

    /// <summary>Compares times, then counts.</summary>
    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    /// <summary>Compares times, then counts.</summary>
    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;

    /// <summary>Compares times, then counts.</summary>
    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;

    /// <summary>Before every line of that time or later.</summary>
    public static LogPosition Since(DateTimeOffset time) => new((time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick, 0);

    /// <inheritdoc/>
    public int CompareTo(LogPosition other) => At == other.At ? Count.CompareTo(other.Count) : At.CompareTo(other.At);
}

/// <summary>Asks for the next lines of a container's log.</summary>
[GenerateSerializer, Immutable, Alias("hosting.LogRead")]
public sealed record LogRead
{
    /// <summary>Name of who reads on, unique: its agent keeps what it needs open for some seconds between its reads.</summary>
    [Id(0)] public required string Reader { get; init; }

    /// <summary>Name of the container's VM.</summary>
    [Id(1)] public required string Vm { get; init; }

    /// <summary>Id of the container.</summary>
    [Id(2)] public required string Container { get; init; }

    /// <summary>The lines behind it.</summary>
    [Id(3)] public LogPosition From { get; init; }

    /// <summary>Of these only the newest so many, 0 to 10,000; null for all.</summary>
    [Id(4)] public int? Tail { get; init; }

    /// <summary>Wait a moment for lines to come; without it <see cref="LogState.End"/> says that there are no more.</summary>
    [Id(5)] public bool Follow { get; init; }
}

/// <summary>What can be said of a log when it was read.</summary>
public enum LogState
{
    /// <summary>There may be more: read on.</summary>
    Open,

    /// <summary>That was all there is now.</summary>
    End,

    /// <summary>The container is not there yet, or its VM is not up.</summary>
    NotYet,

    /// <summary>The container is not there any more, nor is its log.</summary>
    Gone,

    /// <summary>The agent is not connected or does not answer: read again later.</summary>
    Away,

    /// <summary>Not possible now, for the reason given: read again later.</summary>
    Refused,
}

/// <summary>Some lines of a container's log.</summary>
[GenerateSerializer, Immutable, Alias("hosting.LogChunk")]
public sealed record LogChunk
{
    /// <summary>Whether there may be more.</summary>
    [Id(0)] public required LogState State { get; init; }

    /// <summary>The lines, the oldest first; at most some hundred.</summary>
    [Id(1)] public IReadOnlyList<LogLine> Lines { get; init; } = [];

    /// <summary>Where to read on.</summary>
    [Id(2)] public required LogPosition Next { get; init; }

    /// <summary>Why there are none; null when there are, or there just is nothing new.</summary>
    [Id(3)] public string? Reason { get; init; }
}

/// <summary>A line of a container's log.</summary>
/// <param name="Position">Behind this line.</param>
/// <param name="Error">Whether it came from the standard error.</param>
/// <param name="Text">Without its line end; at most 8 KiB, what is longer is cut and says so.</param>
[GenerateSerializer, Immutable, Alias("hosting.LogLine")]
public readonly record struct LogLine(
    [property: Id(0)] LogPosition Position, [property: Id(1)] bool Error, [property: Id(2)] string Text);
