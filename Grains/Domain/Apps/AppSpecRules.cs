using Hosting.Apps;

namespace Hosting.Domain.Apps;

/// <summary>What a valid app looks like. Every error is found at once, each with its field and what would be right.</summary>
public static class AppSpecRules
{
    /// <summary>Replicas an app may have at most.</summary>
    public const int MaxReplicas = 1_000;

    /// <summary>Longest app name: room is left for the random part of its containers' ids within a DNS label.</summary>
    public const int MaxNameLength = 50;

    /// <summary>Checks a name and a spec against the rules and the regions there are.</summary>
    public static IReadOnlyList<SpecError> Check(string name, AppSpec spec, IReadOnlyCollection<string> regions)
    {
        var errors = new List<SpecError>();
        CheckName(errors, name);
        CheckProcess(errors, spec);
        Range(errors, "port", spec.Port, 1, 65_535);
        Range(errors, "cpuMillis", spec.CpuMillis, 1, 1_000_000);
        Range(errors, "memoryMiB", spec.MemoryMiB, 4, 16_777_216);
        Range(errors, "replicas", spec.Replicas, 0, MaxReplicas);
        Range(errors, "stopGraceSeconds", spec.StopGraceSeconds, 0, 3_600);
        CheckRegions(errors, spec, regions);
        CheckHostnames(errors, spec);
        CheckHealth(errors, spec.HealthCheck);
        CheckRollout(errors, spec.Rollout);
        CheckPairs(errors, "constraints", spec.Constraints, 32, 256);
        return errors;
    }

    private static void CheckName(List<SpecError> errors, string name)
    {
        if (!DnsNames.IsLabel(name) || name.Length > MaxNameLength)
            Add(errors, "name", $"'{Shorten(name)}' is no app name: use 1 to {MaxNameLength} of a-z, 0-9 and dashes, with no dash at either end.");
        else if (name is "api" or "console")
            Add(errors, "name", $"'{name}' is the platform's own address: choose another name.");
    }

    private static void CheckProcess(List<SpecError> errors, AppSpec spec)
    {
        if (string.IsNullOrWhiteSpace(spec.Image) || spec.Image.Length > 512 || spec.Image.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
            Add(errors, "image", "give an image reference without spaces, for example shop:1.4.");
        CheckList(errors, "command", spec.Command);
        CheckList(errors, "args", spec.Args);
        CheckPairs(errors, "env", spec.Env, 256, 32_768);
        foreach (var key in spec.Env?.Keys.Where(k => k.Contains('=') || k.Contains('\0')) ?? [])
            Add(errors, "env", $"'{Shorten(key)}' is no variable name: it may not contain '='.");
    }

    private static void CheckList(List<SpecError> errors, string field, IReadOnlyList<string>? items)
    {
        if (items is null)
            return;
        if (items.Count > 256)
            Add(errors, field, "at most 256 entries.");
        if (items.Any(i => i is null || i.Length > 8_192 || i.Contains('\0')))
            Add(errors, field, "every entry is a string of at most 8,192 characters without NUL.");
    }

    private static void CheckPairs(List<SpecError> errors, string field, IReadOnlyDictionary<string, string>? pairs, int most, int longest)
    {
        if (pairs is null)
            return;
        if (pairs.Count > most)
            Add(errors, field, $"at most {most} entries.");
        if (pairs.Any(p => p.Key.Length is 0 or > 256 || p.Value is null || p.Value.Length > longest || p.Value.Contains('\0')))
            Add(errors, field, $"keys have 1 to 256 characters, values are strings of at most {longest:N0} without NUL.");
    }

    private static void CheckRegions(List<SpecError> errors, AppSpec spec, IReadOnlyCollection<string> regions)
    {
        var known = string.Join(", ", regions.Order(StringComparer.Ordinal));
        var named = spec.Regions ?? [];
        foreach (var region in named.Select(share => share.Region).Where(region => !regions.Contains(region)))
            Add(errors, "regions", $"there is no region '{Shorten(region)}'; there are: {known}.");
        if (named.DistinctBy(share => share.Region).Count() != named.Count)
            Add(errors, "regions", "name each region once.");
        CheckShares(errors, spec, named);
        if (regions.Count == 0)
            Add(errors, "regions", "the platform has no region yet: start a silo that serves one.");
    }

    private static void CheckShares(List<SpecError> errors, AppSpec spec, IReadOnlyList<RegionShare> named)
    {
        Range(errors, "minPerRegion", spec.MinPerRegion, 0, MaxReplicas);
        var numbers = named.Where(share => share.Replicas is not null).ToList();
        if (numbers.Count == 0)
            return;
        foreach (var share in numbers)
            Range(errors, $"regions.{Shorten(share.Region)}", share.Replicas!.Value, 0, MaxReplicas);
        var sum = numbers.Sum(share => (long)share.Replicas!.Value);
        if (numbers.Count < named.Count)
            Add(errors, "regions", "give every region a number of replicas, or none.");
        else if (sum > MaxReplicas)
            Add(errors, "regions", $"{sum:N0} replicas in all are too many: at most {MaxReplicas:N0}.");
        else if (spec.Replicas != 1 && spec.Replicas != sum)
            Add(errors, "replicas", $"{spec.Replicas} is not what regions add up to, {sum}: leave it out, or change regions.");
        else if (spec.MinPerRegion > 0)
            Add(errors, "minPerRegion", "is for even shares: regions says already how many replicas each has.");
    }

    private static void CheckHostnames(List<SpecError> errors, AppSpec spec)
    {
        if (spec.Hostnames is not { } names)
            return;
        if (names.Count > 64)
            Add(errors, "hostnames", "at most 64 host names.");
        foreach (var name in names.Where(n => !DnsNames.IsHostname(n) || !n.Contains('.')).Take(8))
            Add(errors, "hostnames", $"'{Shorten(name)}' is no host name: use lower-case labels joined by dots, for example shop.example.com.");
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            Add(errors, "hostnames", "name each host once.");
    }

    private static void CheckHealth(List<SpecError> errors, HealthCheck? check)
    {
        if (check is null)
            return;
        if (check.Path is { } path && (!path.StartsWith('/') || path.Length > 2_048 || path.Any(c => c <= ' ' || c >= 127)))
            Add(errors, "healthCheck.path", $"'{Shorten(path)}' is no path: start it with '/', without spaces, for example /healthz.");
        Range(errors, "healthCheck.intervalSeconds", check.IntervalSeconds, 1, 3_600);
        Range(errors, "healthCheck.timeoutSeconds", check.TimeoutSeconds, 1, 3_600);
        if (check.TimeoutSeconds > check.IntervalSeconds)
            Add(errors, "healthCheck.timeoutSeconds", $"{check.TimeoutSeconds} s is longer than the interval of {check.IntervalSeconds} s: shorten it.");
        Range(errors, "healthCheck.healthyAfter", check.HealthyAfter, 1, 100);
        Range(errors, "healthCheck.unhealthyAfter", check.UnhealthyAfter, 1, 100);
        Range(errors, "healthCheck.gracePeriodSeconds", check.GracePeriodSeconds, 0, 3_600);
    }

    private static void CheckRollout(List<SpecError> errors, RolloutSpec? rollout)
    {
        if (rollout is null)
            return;
        Range(errors, "rollout.maxSurge", rollout.MaxSurge, 0, MaxReplicas);
        Range(errors, "rollout.maxUnavailable", rollout.MaxUnavailable, 0, MaxReplicas);
        Range(errors, "rollout.progressDeadlineSeconds", rollout.ProgressDeadlineSeconds, 1, 3_600);
        if (rollout is { MaxSurge: 0, MaxUnavailable: 0 })
            Add(errors, "rollout", "maxSurge and maxUnavailable cannot both be 0: nothing could ever be replaced.");
    }

    private static void Range(List<SpecError> errors, string field, int value, int least, int most)
    {
        if (value < least || value > most)
            Add(errors, field, $"{value} is out of range: use {least:N0} to {most:N0}.");
    }

    private static void Add(List<SpecError> errors, string field, string message) => errors.Add(new SpecError(field, message));

    private static string Shorten(string? text) => text is null ? "null" : text.Length <= 80 ? text : text[..77] + "...";
}
