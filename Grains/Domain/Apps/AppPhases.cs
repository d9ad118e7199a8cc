using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>Where an app stands, from what its regions say.</summary>
public static class AppPhases
{
    /// <summary>Phase and message.</summary>
    /// <param name="deleting">The app was deleted.</param>
    /// <param name="desired">Wanted replicas over all regions.</param>
    /// <param name="regions">What each region answered that is not away; null for one that did not.</param>
    /// <param name="away">Regions whose share the others run.</param>
    public static (AppPhase Phase, string Message) Of(
        bool deleting, int desired, IReadOnlyCollection<KeyValuePair<string, ReplicaSetStatus?>> regions, IReadOnlyCollection<string> away)
    {
        var (phase, message) = Of(deleting, desired, regions);
        return (phase, away.Count == 0 ? message : $"{message}; {string.Join(", ", away)} away, the other regions run that share");
    }

    private static (AppPhase Phase, string Message) Of(
        bool deleting, int desired, IReadOnlyCollection<KeyValuePair<string, ReplicaSetStatus?>> regions)
    {
        var answers = regions.Select(r => r.Value).OfType<ReplicaSetStatus>().ToList();
        var ready = answers.Sum(r => r.Ready);
        if (deleting)
            return (AppPhase.Deleting, $"{answers.Sum(r => r.Containers)} containers are being stopped");
        if (regions.FirstOrDefault(r => r.Value is null) is { Key: { } silent })
            return (AppPhase.Degraded, $"region {silent} does not answer; {ready} of {desired} replicas are known to be healthy");
        var healthy = $"{ready} of {desired} replicas are healthy";
        var refusal = First(answers, r => r.Refusal?.Message);
        if (First(answers, r => r.Stopped) is { } stopped)
            return (AppPhase.Degraded, string.Join("; ", new[] { stopped, ready < desired ? healthy : null, refusal }.OfType<string>()));
        if (refusal is not null)
            return (AppPhase.Unplaceable, $"{healthy}; {refusal}");
        if (First(answers, r => r.Stuck) is { } stuck)
            return (AppPhase.Degraded, $"{healthy}; {stuck}");
        if (First(answers, r => r.Failure) is { } failure)
            return (AppPhase.Degraded, $"{healthy}; {failure}");
        return Undisturbed(desired, healthy, answers);
    }

    private static (AppPhase Phase, string Message) Undisturbed(int desired, string healthy, List<ReplicaSetStatus> answers)
    {
        var updated = answers.Sum(r => r.Updated);
        var moving = answers.Sum(r => r.Moving);
        if (updated >= desired && moving > 0)
            return (AppPhase.Running, $"{healthy}; {moving} are moving to other servers");
        return updated >= desired && answers.Sum(r => r.Containers) == desired
            ? (AppPhase.Running, desired == 0 ? "scaled to 0" : healthy)
            : (AppPhase.Deploying, $"{updated} of {desired} replicas run the newest revision; {answers.Sum(r => r.Ready)} are healthy");
    }

    private static string? First(List<ReplicaSetStatus> answers, Func<ReplicaSetStatus, string?> reason) =>
        answers.Select(reason).FirstOrDefault(r => r is not null);
}
