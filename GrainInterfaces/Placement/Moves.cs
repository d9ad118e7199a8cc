namespace Hosting.Placement;

/// <summary>Which containers of a server would be moved away under pressure.</summary>
[GenerateSerializer, Alias("hosting.MoveQuestion")]
public sealed record MoveQuestion
{
    /// <summary>Seconds for which a move that began is kept in mind without being asked about again.</summary>
    public const int HoldSeconds = 5;

    /// <summary>The server they leave, without the region.</summary>
    [Id(0)] public required string Server { get; init; }

    /// <summary>The containers, the most wanted first.</summary>
    [Id(1)] public required IReadOnlyList<MoveCandidate> Candidates { get; init; }

    /// <summary>The server's memory is nearly gone: the budget does not hold it back.</summary>
    [Id(2)] public bool Urgent { get; init; }
}

/// <summary>A container that would be moved.</summary>
/// <param name="Container">Its id.</param>
/// <param name="Constraints">Labels that its next server must carry; null for none.</param>
/// <param name="Begun">It was allowed to begin before.</param>
[GenerateSerializer, Alias("hosting.MoveCandidate")]
public sealed record MoveCandidate(
    [property: Id(0)] string Container, [property: Id(1)] IReadOnlyDictionary<string, string>? Constraints, [property: Id(2)] bool Begun);

/// <summary>Whether a move may begin.</summary>
public enum MoveAnswer
{
    /// <summary>It may begin, or go on.</summary>
    Begin,

    /// <summary>The region's budget is used up: ask again.</summary>
    Wait,

    /// <summary>No other server can take the container now.</summary>
    NoRoom,
}
