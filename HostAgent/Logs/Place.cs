using Hosting.Protocol;

namespace Hosting.HostAgent.Logs;

/// <summary>A place in a container's log: behind the first <paramref name="Count"/> lines of the time <paramref name="At"/>.</summary>
/// <param name="At">UTC nanoseconds.</param>
/// <param name="Count">Lines of that time that lie before it.</param>
internal readonly record struct Place(long At, int Count) : IComparable<Place>
{
    public static Place Of(LogPosition? position) => position is null ? default : new(position.At, position.Count);

    public static bool operator >(Place left, Place right) => left.CompareTo(right) > 0;

    public static bool operator <(Place left, Place right) => left.CompareTo(right) < 0;

    public static bool operator >=(Place left, Place right) => left.CompareTo(right) >= 0;

    public static bool operator <=(Place left, Place right) => left.CompareTo(right) <= 0;

    public int CompareTo(Place other) => At == other.At ? Count.CompareTo(other.Count) : At.CompareTo(other.At);

    public LogPosition ToMessage() => new() { At = At, Count = Count };

    /// <summary>The place behind the next line.</summary>
    /// <param name="at">When the engine stamped that line; an earlier time than this place's counts as this place's.</param>
    public Place Next(long at) => at > At ? new(at, 1) : this with { Count = Count + 1 };
}
