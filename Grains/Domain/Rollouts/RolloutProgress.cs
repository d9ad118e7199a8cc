namespace Hosting.Domain.Rollouts;

/// <summary>How long a rollout has made no progress: no replica more of the newest revision became healthy.</summary>
/// <param name="Healthy">The most replicas of the newest revision that were healthy at once.</param>
/// <param name="Stalled">Time without progress that counts.</param>
/// <param name="SeenAt">When it was looked at last.</param>
public sealed record RolloutProgress(int Healthy, TimeSpan Stalled, DateTimeOffset SeenAt)
{
    /// <summary>Longer than this nobody looked, so nobody could have made progress either: only so much counts.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(5);

    /// <summary>At the start of a rollout, or of an activation.</summary>
    public static RolloutProgress Begin(DateTimeOffset now) => new(0, TimeSpan.Zero, now);

    /// <summary>After one more look.</summary>
    /// <param name="healthy">Replicas of the newest revision that get traffic now.</param>
    /// <param name="paused">The rollout waits for something that is not the revision's fault.</param>
    /// <param name="now">The time; one before the last look counts as the same.</param>
    public RolloutProgress Look(int healthy, bool paused, DateTimeOffset now)
    {
        if (healthy > Healthy)
            return new RolloutProgress(healthy, TimeSpan.Zero, now);
        var passed = paused || now < SeenAt ? TimeSpan.Zero : now - SeenAt;
        return this with { Stalled = Stalled + (passed < LongestLook ? passed : LongestLook), SeenAt = now };
    }
}
