using System.Globalization;
using Hosting.Servers;

namespace Hosting.Domain.Checks;

/// <summary>
/// Whether a server's primary feels its VMs, by pairs of windows with and without them. A pair is compared within itself, since
/// a server's load changes all the time; a difference counts only as far as it is more than the differences differ among themselves.
/// </summary>
public static class PrimaryVerdict
{
    /// <summary>CPU that containers have to use, in thousandths of a core, for the check to be one.</summary>
    public const int LeastContainersCpuMillis = 50;

    /// <summary>Fewer pairs say nothing.</summary>
    public const int LeastPairs = 3;

    /// <summary>The primary's wait may be so many times more, on top of what it is without the VMs.</summary>
    public const double WaitTimesMore = 2;

    /// <summary>A share of waiting that nobody feels.</summary>
    public const double WaitUnfelt = 0.05;

    /// <summary>Wake-ups may come so many times later, on top of what they do without the VMs.</summary>
    public const double WakeupTimesMore = 0.3;

    /// <summary>Lateness in milliseconds that nobody feels.</summary>
    public const double WakeupUnfelt = 0.5;

    /// <summary>The verdict; times and state are the caller's.</summary>
    /// <param name="begun">The check that was running.</param>
    /// <param name="measured">What its agent measured.</param>
    /// <param name="now">When it is over.</param>
    public static ServerCheck Of(ServerCheck begun, CheckMeasured measured, DateTimeOffset now)
    {
        var over = begun with { State = CheckState.Done, FinishedAt = now, Pairs = measured.Pairs };
        if (measured.Failure is { } failure)
            return over with { State = CheckState.Failed, Reason = failure };
        if (measured.Pairs.Count < LeastPairs)
            return over with { State = CheckState.Failed, Reason = $"only {measured.Pairs.Count} pairs of windows were measured, {LeastPairs} are needed" };
        over = over with
        {
            PrimaryWait = Wait(measured.Pairs),
            WakeupMillis = Figure(measured.Pairs.Select(pair => (pair.Held.WakeupMillis, pair.Free.WakeupMillis)), WakeupTimesMore, WakeupUnfelt),
            ContainersCpuMillis = (int)Median(measured.Pairs.Select(pair => (double)pair.Free.ContainersCpuMillis)),
        };
        var (verdict, reason) = Judge(over, measured.Unprotected);
        return over with { Verdict = verdict, Reason = reason };
    }

    private static (CheckVerdict, string) Judge(ServerCheck check, string? unprotected)
    {
        if (unprotected is not null)
            return (CheckVerdict.Felt, $"the priority of its VMs is not in force, so its primary is not protected, whatever was measured: {unprotected}");
        var figures = new[] { check.PrimaryWait, check.WakeupMillis }.OfType<CheckFigure>().ToList();
        if (figures.Exists(one => one.Verdict == CheckVerdict.Felt))
            return (CheckVerdict.Felt, Numbers(check));
        if (check.ContainersCpuMillis < LeastContainersCpuMillis)
            return (CheckVerdict.CannotTell, $"its containers used {check.ContainersCpuMillis} m CPU, so there was next to nothing to feel: {LeastContainersCpuMillis} m are needed");
        return figures.Exists(one => one.Verdict == CheckVerdict.CannotTell)
            ? (CheckVerdict.CannotTell, $"too much noise ({Numbers(check)})")
            : (CheckVerdict.NotFelt, Numbers(check));
    }

    private static CheckFigure? Wait(IReadOnlyList<CheckPair> pairs)
    {
        var known = pairs.Where(pair => pair.Held.PrimaryWait is not null && pair.Free.PrimaryWait is not null).ToList();
        return known.Count < LeastPairs ? null : Figure(known.Select(pair => (pair.Held.PrimaryWait!.Value, pair.Free.PrimaryWait!.Value)), WaitTimesMore, WaitUnfelt);
    }

    private static CheckFigure Figure(IEnumerable<(double Held, double Free)> pairs, double timesMore, double unfelt)
    {
        var all = pairs.ToList();
        var held = Median(all.Select(pair => pair.Held));
        var more = Median(all.Select(pair => pair.Free - pair.Held));
        var noise = Median(all.Select(pair => Math.Abs(pair.Free - pair.Held - more)));
        var allowed = Math.Max(held * timesMore, unfelt);
        var verdict = more - noise > allowed ? CheckVerdict.Felt : more + noise > allowed ? CheckVerdict.CannotTell : CheckVerdict.NotFelt;
        return new CheckFigure(held, Median(all.Select(pair => pair.Free)), more, noise, allowed, verdict);
    }

    private static string Numbers(ServerCheck check)
    {
        var wait = check.PrimaryWait is { } share
            ? string.Create(CultureInfo.InvariantCulture,
                $"its primary waits for a CPU {Percent(share.More)} of its time more with them, give or take {Percent(share.Noise)}, and {Percent(share.Allowed)} are allowed")
            : "its primary hardly ran";
        return check.WakeupMillis is { } late
            ? string.Create(CultureInfo.InvariantCulture, $"{wait}; wake-ups come {late.More:0.00} ms later, give or take {late.Noise:0.00}, and {late.Allowed:0.00} ms are allowed")
            : wait;
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %");

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
