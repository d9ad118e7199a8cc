namespace Hosting.Domain.Rollouts;

/// <summary>
/// For how long a replica set has been refused room, and when it asks again. A server that is over its threshold for a moment says
/// so in its next report, half a second later at most: whoever is refused asks again sooner at first, and at the usual pace when
/// there is likely no room at all.
/// </summary>
public sealed class RefusedRoom
{
    /// <summary>Pause before it is asked for again at first.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(100);

    /// <summary>Time since the first refusal in which that holds: four reports of a server.</summary>
    public static readonly TimeSpan AskAgainFor = TimeSpan.FromSeconds(2);

    private DateTimeOffset? _since;

    /// <summary>It was refused.</summary>
    /// <returns>Pause until it is asked for again; null for the usual one.</returns>
    public TimeSpan? Refused(DateTimeOffset now)
    {
        _since ??= now;
        return now - _since < AskAgainFor ? AskAgainAfter : null;
    }

    /// <summary>It was given, or is not needed any more: the next refusal is a first one.</summary>
    public void Ended() => _since = null;
}
