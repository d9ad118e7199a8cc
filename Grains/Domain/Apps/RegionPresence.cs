namespace Hosting.Domain.Apps;

/// <summary>What a region says when an app asks.</summary>
/// <param name="Region">Its name.</param>
/// <param name="Serves">Its control plane answers, and one of its servers at least is there.</param>
/// <param name="Healthy">As many replicas of the app as its own share are healthy.</param>
public readonly record struct RegionAnswer(string Region, bool Serves, bool Healthy);

/// <summary>
/// Which regions of an app are away. A region goes after <see cref="AwayAfter"/> of silence: shorter is a restart. It is back
/// once its own share is healthy there, so that the others give theirs up only then; or after <see cref="BackAfter"/> of
/// answers, whatever keeps its share from being healthy then is no matter of the region.
/// </summary>
public sealed class RegionPresence
{
    /// <summary>How long a region is silent until its share is run elsewhere.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(10);

    /// <summary>How long it serves again until it counts as back, healthy or not.</summary>
    public static readonly TimeSpan BackAfter = TimeSpan.FromSeconds(60);

    // Since when each region's answer contradicts what holds for it.
    private readonly Dictionary<string, DateTimeOffset> _since = new(StringComparer.Ordinal);

    /// <summary>Looks at answers just given.</summary>
    /// <param name="away">Regions that are away up to now.</param>
    /// <param name="answers">One for each region of the app.</param>
    /// <param name="now">When.</param>
    /// <returns>The regions that are away from now on, sorted.</returns>
    public IReadOnlyList<string> Look(IReadOnlyCollection<string> away, IReadOnlyCollection<RegionAnswer> answers, DateTimeOffset now)
    {
        foreach (var gone in _since.Keys.Except(answers.Select(answer => answer.Region)).ToList())
            _since.Remove(gone);
        return [.. answers.Where(answer => IsAway(answer, away.Contains(answer.Region), now)).Select(answer => answer.Region).Order(StringComparer.Ordinal)];
    }

    private bool IsAway(RegionAnswer answer, bool away, DateTimeOffset now)
    {
        if (answer.Serves != away)
        {
            _since.Remove(answer.Region);
            return away;
        }
        if (!_since.TryGetValue(answer.Region, out var since))
            _since[answer.Region] = since = now;
        var turned = away ? answer.Healthy || now - since >= BackAfter : now - since >= AwayAfter;
        if (turned)
            _since.Remove(answer.Region);
        return away != turned;
    }
}
