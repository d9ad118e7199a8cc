namespace Hosting.Silo.Api;

/// <summary>How long lists may become.</summary>
internal static class Limits
{
    public const int DefaultItems = 1_000;

    public const int DefaultEvents = 100;

    private const int MostItems = 10_000;

    /// <summary>A problem when a <c>limit</c> is out of range.</summary>
    public static IResult? Check(int limit) =>
        limit is >= 1 and <= MostItems ? null : Problems.Invalid("limit", $"must be 1 to {MostItems}, not {limit}.");
}
