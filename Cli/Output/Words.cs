using System.Globalization;

namespace Hosting.Cli.Output;

/// <summary>How values are said in tables.</summary>
internal static class Words
{
    /// <summary>Time since then in one unit: <c>12s</c>, <c>3m</c>, <c>5h</c>, <c>2d</c>; empty when there is none.</summary>
    public static string Age(DateTimeOffset? since, DateTimeOffset now)
    {
        if (since is not { } then) return "";
        // Clocks of servers differ a little: what seems to come from the future happened now.
        var age = now > then ? now - then : TimeSpan.Zero;
        return age switch
        {
            { TotalSeconds: < 60 } => $"{(int)age.TotalSeconds}s",
            { TotalMinutes: < 60 } => $"{(int)age.TotalMinutes}m",
            { TotalHours: < 24 } => $"{(int)age.TotalHours}h",
            _ => $"{(int)age.TotalDays}d",
        };
    }

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double? share) => share is { } s ? (s * 100).ToString("0", CultureInfo.InvariantCulture) + "%" : "";

    /// <summary>Labels with their values: <c>disk=ssd, zone=a</c>.</summary>
    public static string Labels(IReadOnlyDictionary<string, string>? labels) =>
        string.Join(", ", (labels ?? new Dictionary<string, string>()).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => Cell.Clean($"{l.Key}={l.Value}")));

    public static string YesNo(bool value) => value ? "yes" : "no";

    public static Cell Phase(string phase) => new(phase, phase switch
    {
        "Running" => Tone.Good,
        "Deploying" or "Deleting" => Tone.Waiting,
        _ => Tone.Bad,
    });

    public static Cell State(string state, bool healthy) => (state, healthy) switch
    {
        ("Running", true) => new(state, Tone.Good),
        ("Running", false) => new("Running, not healthy", Tone.Waiting),
        ("Failed", _) => new(state, Tone.Bad),
        ("Stopped", _) => new(state, Tone.Quiet),
        _ => new(state, Tone.Waiting),
    };
}
