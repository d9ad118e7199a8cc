using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>Where an app stands, from what its regions say.</summary>
public static class AppPhases
{
    /// <summary>Phase and message.</summary>
    /// <param name="deleting">The app was deleted.</param>
    /// <param name="desired">Wanted replicas over all regions.</param>
    /// <param name="regions">What each region answered; null for one that did not.</param>
    public static (AppPhase Phase, string Message) Of(
        bool deleting, int desired, IReadOnlyCollection<KeyValuePair<string, ReplicaSetStatus?>> regions)
    {
        var answers = regions.Select(r => r.Value).OfType<ReplicaSetStatus>().ToList();
        var ready = answers.Sum(r => r.Ready);
        var containers = answers.Sum(r => r.Containers);
        if (deleting)
            return (AppPhase.Deleting, $"{containers} containers are being stopped");
        if (regions.FirstOrDefault(r => r.Value is null) is { Key: { } silent })
            return (AppPhase.Degraded, $"region {silent} does not answer; {ready} of {desired} replicas are known to be healthy");
        if (answers.Select(r => r.Refusal).FirstOrDefault(r => r is not null) is { } refusal)
            return (AppPhase.Unplaceable, $"{ready} of {desired} replicas are healthy; {refusal.Message}");
        if (answers.Select(r => r.Failure).FirstOrDefault(f => f is not null) is { } failure)
            return (AppPhase.Degraded, $"{ready} of {desired} replicas are healthy; {failure}");
        var updated = answers.Sum(r => r.Updated);
        return updated >= desired && containers == desired
            ? (AppPhase.Running, desired == 0 ? "scaled to 0" : $"{ready} of {desired} replicas are healthy")
            : (AppPhase.Deploying, $"{updated} of {desired} replicas run the newest revision; {ready} are healthy");
    }
}
