namespace Hosting.HostAgent;

/// <summary>How long something may take.</summary>
internal static class Deadline
{
    /// <summary>Cancelled after the time, or with its caller.</summary>
    public static CancellationTokenSource After(TimeSpan time, CancellationToken cancellation)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        source.CancelAfter(time);
        return source;
    }
}
