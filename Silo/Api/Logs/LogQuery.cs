using System.Globalization;
using System.Text.RegularExpressions;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>Which lines somebody asked for.</summary>
/// <param name="Tail">Of all of them only the newest so many.</param>
/// <param name="From">From behind this place of each container's log.</param>
internal sealed partial record LogQuery(int Tail, LogPosition From)
{
    /// <summary>Lines when neither <c>tail</c> nor <c>since</c> is given.</summary>
    public const int DefaultTail = 100;

    /// <summary>The most lines of one answer.</summary>
    public const int MostTail = 10_000;

    private static readonly string[] TimeFormats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];

    /// <summary>Reads the parameters, or says which one is wrong.</summary>
    public static (LogQuery? Query, IResult? Problem) Parse(int? tail, string? since, DateTimeOffset now)
    {
        if (tail is < 0 or > MostTail)
            return (null, Problems.Invalid("tail", $"must be 0 to {MostTail}, not {tail}."));
        if (since is null)
            return (new(tail ?? DefaultTail, default), null);
        return Time(since, now) is { } time
            ? (new(tail ?? MostTail, LogPosition.Since(time)), null)
            : (null, Problems.Invalid("since", "must be a time such as 2026-01-31T12:00:00Z, or how long ago: 30s, 10m, 2h, 1d."));
    }

    private static DateTimeOffset? Time(string since, DateTimeOffset now)
    {
        if (Ago().Match(since) is { Success: true } ago)
            return now - int.Parse(ago.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * Unit(ago.Groups[2].ValueSpan[0]);
        return DateTimeOffset.TryParseExact(since, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            && time >= DateTimeOffset.UnixEpoch ? time : null;
    }

    private static TimeSpan Unit(char unit) => unit switch
    {
        's' => TimeSpan.FromSeconds(1),
        'm' => TimeSpan.FromMinutes(1),
        'h' => TimeSpan.FromHours(1),
        _ => TimeSpan.FromDays(1),
    };

    // At most 9,999 days, so that every time is after the beginning of the clock that engines count from.
    [GeneratedRegex("^([0-9]{1,4})([smhd])$")]
    private static partial Regex Ago();
}
