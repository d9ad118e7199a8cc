namespace Hosting.Silo.Api;

/// <summary>How long lists may become.</summary>
internal static class Limits
{
    public const int DefaultItems = 1_000;

    public const int DefaultEvents = 100;

    /// <summary>Requests that are worked on at once by one silo; streams are counted for themselves.</summary>
    public const int MostAtOnce = 256;

    /// <summary>Requests that wait for their turn; more are refused at once.</summary>
    public const int MostWaiting = 512;

    private const int MostItems = 10_000;

    /// <summary>A problem when a <c>limit</c> is out of range.</summary>
    public static IResult? Check(int limit) =>
        limit is >= 1 and <= MostItems ? null : Problems.Invalid("limit", $"must be 1 to {MostItems}, not {limit}.");
}
