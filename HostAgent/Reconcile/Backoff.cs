namespace Hosting.HostAgent.Reconcile;

/// <summary>Delays between tries: 1 s, doubled up to 60 s.</summary>
internal static class Backoff
{
    /// <summary>The longest delay.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>What ran this long counts as well again.</summary>
    public static readonly TimeSpan WellAfter = TimeSpan.FromSeconds(60);

    /// <summary>Delay after a number of failures in a row, 1 or more.</summary>
    public static TimeSpan AfterFailures(int failures) =>
        TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, Math.Clamp(failures - 1, 0, 10))));

    /// <summary>Delay before a restart, the first of which is immediate.</summary>
    public static TimeSpan BeforeRestart(int restart) => restart <= 1 ? TimeSpan.Zero : AfterFailures(restart - 1);
}
