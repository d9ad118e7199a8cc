namespace Hosting.HostAgent.Hub;

/// <summary>Delay before the next try to reach a hub: 0.1 s doubled up to 5 s, of which a random half is taken off so that agents do not come all at once.</summary>
internal static class HubBackoff
{
    /// <summary>Delay after a number of failures in a row (1 or more).</summary>
    /// <param name="failures">Failures in a row.</param>
    /// <param name="random">0 to 1.</param>
    public static TimeSpan Delay(int failures, double random)
    {
        var longest = Math.Min(5.0, 0.1 * Math.Pow(2, Math.Clamp(failures - 1, 0, 10)));
        return TimeSpan.FromSeconds(longest * (0.5 + (random / 2)));
    }
}
