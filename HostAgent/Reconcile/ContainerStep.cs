using System.Globalization;
using Hosting.HostAgent.Engine;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>
/// Brings one container to where it is wanted, one operation a call. Pure: what is wanted, what is known and the time in,
/// the next operation out; and what an operation's result makes of what is known. So a crash between any two steps costs
/// nothing but looking again.
/// </summary>
internal static class ContainerStep
{
    /// <summary>From this restart on it is a crash loop: the first restart may have been bad luck.</summary>
    private const int CrashLoopAfter = 2;

    /// <summary>The next operation.</summary>
    /// <param name="desired">What is wanted; null when it is not wanted here.</param>
    /// <param name="observed">What is known.</param>
    /// <param name="now">The time.</param>
    public static Operation Next(DesiredContainer? desired, Observed observed, DateTimeOffset now)
    {
        var operation = new Operation(NextVerb(desired, observed));
        var mustWait = operation.Work != Work.None && operation.Work == observed.Waiting && now < observed.RetryAt;
        return mustWait ? new Operation(Verb.Wait, observed.RetryAt) : operation;
    }

    /// <summary>What is known after an operation that did not ask the engine how the container is.</summary>
    public static Observed After(Observed observed, Operation operation, EngineResult result, DateTimeOffset now)
    {
        if (result.Outcome == EngineOutcome.Done)
            return Done(observed, operation.Verb, now);
        return result.Outcome switch
        {
            EngineOutcome.NoSuchImage when !observed.ImageMissing => observed with { ImageMissing = true, Reason = null },
            EngineOutcome.NoSuchContainer => observed with { Stale = true },
            EngineOutcome.PortTaken when observed.Failures == 0 => Failed(observed, operation, result.Reason, now) with { PortTaken = true, Waiting = Work.None },
            EngineOutcome.PortTaken => Failed(observed, operation, result.Reason, now) with { PortTaken = true },
            // A refused creation may mean that it is there already: look.
            EngineOutcome.Refused when operation.Verb == Verb.Create => Failed(observed, operation, result.Reason, now) with { Stale = true, ImageMissing = false },
            EngineOutcome.Unreachable => Failed(observed, operation, result.Reason, now) with { Stale = true },
            _ => Failed(observed, operation, result.Reason, now),
        };
    }

    /// <summary>What is known after the engine was asked; null: it has no such container.</summary>
    public static Observed Seen(Observed observed, EngineContainer? found, DateTimeOffset now)
    {
        var looked = observed with { Stale = false, Waiting = observed.Waiting == Work.Inspect ? Work.None : observed.Waiting };
        if (found is null)
            return looked with { Presence = Presence.Absent, Port = 0, PortTaken = false };
        looked = looked with
        {
            Presence = found.Presence, EngineId = found.EngineId, Port = found.Port,
            App = found.App, Revision = found.Revision, StopGraceSeconds = found.StopGraceSeconds,
        };
        return found.Presence switch
        {
            Presence.Running => looked with { HasRun = true, StartedAt = RunStartedAt(observed, found), Failures = 0 },
            Presence.Exited => Exited(observed, looked, found, now),
            _ => looked,
        };
    }

    /// <summary>Whether this look finds an exit that was not known before.</summary>
    public static bool IsNewExit(Observed before, EngineContainer found) =>
        found.Presence == Presence.Exited && !(before.Presence == Presence.Exited && before.StartedAt == found.StartedAt);

    /// <summary>What is known after the VM lost its power: nothing but the past, and nothing to wait for.</summary>
    public static Observed PoweredOff(Observed observed) => observed with
    {
        Presence = observed.Presence == Presence.Absent ? Presence.Absent : Presence.Unknown,
        Stale = false, Waiting = Work.None, Failures = 0, Restarts = 0, PortTaken = false, ImageMissing = false, Reason = null,
    };

    /// <summary>The engine stamps a start before it answers, so an earlier time than the one we noted is the same run.</summary>
    private static DateTimeOffset? RunStartedAt(Observed before, EngineContainer found) =>
        before.Presence == Presence.Running && found.StartedAt <= before.StartedAt ? before.StartedAt : found.StartedAt ?? before.StartedAt;

    private static Verb NextVerb(DesiredContainer? desired, Observed observed)
    {
        if (observed.Presence == Presence.Unknown || observed.Stale)
            return Verb.Inspect;
        if (desired is null || desired.Stop || observed.Failure is not null)
            return TakeAway(observed, desired is null);
        return observed.Presence switch
        {
            Presence.Absent => observed.ImageMissing ? Verb.FetchImage : Verb.Create,
            Presence.Created or Presence.Exited => observed.PortTaken ? Verb.Remove : Verb.Start,
            _ => Verb.Nothing,
        };
    }

    private static Verb TakeAway(Observed observed, bool unwanted) => observed.Presence switch
    {
        Presence.Running => Verb.Stop,
        Presence.Absent => unwanted ? Verb.Forget : Verb.Nothing,
        _ => Verb.Remove,
    };

    private static Observed Done(Observed observed, Verb verb, DateTimeOffset now) => verb switch
    {
        Verb.FetchImage => observed with { ImageMissing = false, Waiting = Work.None, Failures = 0, Reason = null },
        Verb.Create => observed with { Presence = Presence.Created, ImageMissing = false, Waiting = Work.None },
        Verb.Start => observed with
        {
            Presence = Presence.Running, HasRun = true, StartedAt = now, Failures = 0, Waiting = Work.None,
            Reason = observed.Restarts > 0 ? observed.Reason : null,
        },
        Verb.Stop => observed with { Presence = Presence.Exited, Failures = 0, Waiting = Work.None, Reason = null },
        Verb.Remove => observed with { Presence = Presence.Absent, Port = 0, PortTaken = false, Waiting = observed.PortTaken ? observed.Waiting : Work.None },
        _ => observed,
    };

    private static Observed Failed(Observed observed, Operation operation, string? reason, DateTimeOffset now)
    {
        var failures = observed.Failures + 1;
        return observed with { Failures = failures, Waiting = operation.Work, RetryAt = now + Backoff.AfterFailures(failures), Reason = reason };
    }

    /// <summary>An exit is counted once: when it is seen first, or when the process had been started again since.</summary>
    private static Observed Exited(Observed before, Observed looked, EngineContainer found, DateTimeOffset now)
    {
        if (!IsNewExit(before, found))
            return looked;
        var ranWell = before.StartedAt is { } started && now - started >= Backoff.WellAfter;
        var restart = ranWell || before.Presence == Presence.Unknown ? 1 : before.Restarts + 1;
        var delay = Backoff.BeforeRestart(restart);
        return looked with
        {
            HasRun = true, StartedAt = found.StartedAt ?? looked.StartedAt, Restarts = restart, Failures = 0,
            Waiting = Work.Run, RetryAt = now + delay, Reason = ExitReason(found, restart, delay),
        };
    }

    private static string ExitReason(EngineContainer found, int restart, TimeSpan delay)
    {
        var loop = restart >= CrashLoopAfter ? "crash loop: " : "";
        var exit = found.OutOfMemory ? "ran out of its memory" : string.Create(CultureInfo.InvariantCulture, $"exited with code {found.ExitCode}");
        var when = delay == TimeSpan.Zero ? "at once" : string.Create(CultureInfo.InvariantCulture, $"in {delay.TotalSeconds:0} s");
        var lines = found.LastLines is { Length: > 0 } last ? $"; last lines: {last}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{loop}{exit}, restart {restart} {when}{lines}");
    }
}
