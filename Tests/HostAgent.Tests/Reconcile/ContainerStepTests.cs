using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Reconcile;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Reconcile;

public sealed class ContainerStepTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DesiredContainer Wanted = new() { Id = "web-1", Image = "web:1", Port = 80 };
    private static readonly DesiredContainer Stopping = new() { Id = "web-1", Image = "web:1", Port = 80, Stop = true };

    [Theory]
    [InlineData(Presence.Unknown, Verb.Inspect, Verb.Inspect, Verb.Inspect)]
    [InlineData(Presence.Absent, Verb.Create, Verb.Nothing, Verb.Forget)]
    [InlineData(Presence.Created, Verb.Start, Verb.Remove, Verb.Remove)]
    [InlineData(Presence.Running, Verb.Nothing, Verb.Stop, Verb.Stop)]
    [InlineData(Presence.Exited, Verb.Start, Verb.Remove, Verb.Remove)]
    internal void Each_state_has_one_next_operation(Presence presence, Verb wanted, Verb stopping, Verb orphan)
    {
        var observed = Of(presence);
        Assert.Equal(wanted, ContainerStep.Next(Wanted, observed, Now).Verb);
        Assert.Equal(stopping, ContainerStep.Next(Stopping, observed, Now).Verb);
        Assert.Equal(orphan, ContainerStep.Next(null, observed, Now).Verb);
    }

    [Theory]
    [InlineData(Presence.Running, Verb.Stop)]
    [InlineData(Presence.Exited, Verb.Remove)]
    [InlineData(Presence.Created, Verb.Remove)]
    [InlineData(Presence.Absent, Verb.Nothing)]
    internal void What_the_server_gave_up_is_taken_away_and_never_started(Presence presence, Verb verb) =>
        Assert.Equal(verb, ContainerStep.Next(Wanted, Of(presence) with { Failure = "memory" }, Now).Verb);

    [Fact]
    public void Whatever_happened_is_looked_at_before_anything_is_done() =>
        Assert.Equal(Verb.Inspect, ContainerStep.Next(Wanted, Of(Presence.Running) with { Stale = true }, Now).Verb);

    [Fact]
    public void A_missing_image_is_fetched_and_then_the_container_is_made()
    {
        var missing = After(Of(Presence.Absent), Verb.Create, EngineOutcome.NoSuchImage);
        Assert.Equal(Verb.FetchImage, ContainerStep.Next(Wanted, missing, Now).Verb);
        Assert.Equal(Verb.Create, ContainerStep.Next(Wanted, After(missing, Verb.FetchImage, EngineOutcome.Done), Now).Verb);
    }

    [Fact]
    public void A_failed_start_is_repeated_with_a_delay_that_doubles_up_to_a_minute()
    {
        var observed = Of(Presence.Created);
        var delays = new List<double>();
        var now = Now;
        for (var i = 0; i < 8; i++)
        {
            observed = ContainerStep.After(observed, new Operation(Verb.Start), new EngineResult(EngineOutcome.Refused, "no such program"), now);
            var wait = ContainerStep.Next(Wanted, observed, now);
            Assert.Equal(Verb.Wait, wait.Verb);
            delays.Add((wait.Until - now).TotalSeconds);
            now = wait.Until;
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], delays);
        Assert.Equal("no such program", observed.Reason);
        Assert.Equal(Verb.Start, ContainerStep.Next(Wanted, observed, now).Verb);
    }

    [Fact]
    public void The_first_restart_is_immediate_and_later_ones_wait_longer_until_it_ran_for_a_minute()
    {
        var observed = Of(Presence.Running) with { HasRun = true, StartedAt = Now };
        var (first, now) = Exit(observed, Now, after: 1);
        Assert.Equal(Verb.Start, ContainerStep.Next(Wanted, first, now).Verb);
        Assert.Equal("exited with code 1, restart 1 at once", first.Reason);

        var (second, later) = Exit(Start(first, now), now, after: 1);
        Assert.Equal(later + TimeSpan.FromSeconds(1), ContainerStep.Next(Wanted, second, later).Until);
        Assert.Equal("crash loop: exited with code 1, restart 2 in 1 s", second.Reason);

        var (calm, end) = Exit(Start(second, later), later, after: 61);
        Assert.Equal(1, calm.Restarts);
        Assert.Equal(Verb.Start, ContainerStep.Next(Wanted, calm, end).Verb);
    }

    [Fact]
    public void Looking_twice_at_one_exit_counts_one_restart()
    {
        var (once, now) = Exit(Of(Presence.Running) with { HasRun = true, StartedAt = Now }, Now, after: 1);
        var again = ContainerStep.Seen(once with { Stale = true }, Found(Presence.Exited, once.StartedAt), now);
        Assert.Equal(once.Restarts, again.Restarts);
    }

    [Fact]
    public void The_reason_of_an_exit_ends_with_what_was_written_last()
    {
        var running = Of(Presence.Running) with { HasRun = true, StartedAt = Now, Restarts = 3 };
        var found = Found(Presence.Exited, Now) with { LastLines = "no database | giving up", ExitCode = 3 };
        var exited = ContainerStep.Seen(running, found, Now.AddSeconds(1));
        Assert.Equal("crash loop: exited with code 3, restart 4 in 4 s; last lines: no database | giving up", exited.Reason);
        Assert.True(ContainerStep.IsNewExit(running, found));
        Assert.False(ContainerStep.IsNewExit(exited, found));
        Assert.False(ContainerStep.IsNewExit(running, Found(Presence.Running, Now)));
    }

    [Fact]
    public void Stopping_does_not_wait_for_a_restart_that_is_due_later()
    {
        var waiting = Of(Presence.Exited) with { Waiting = Work.Run, RetryAt = Now + TimeSpan.FromMinutes(1) };
        Assert.Equal(Verb.Remove, ContainerStep.Next(Stopping, waiting, Now).Verb);
    }

    [Fact]
    public void A_port_in_use_makes_a_new_container_with_another_port_at_once()
    {
        var taken = After(Of(Presence.Created) with { Port = 5 }, Verb.Start, EngineOutcome.PortTaken);
        Assert.Equal(Verb.Remove, ContainerStep.Next(Wanted, taken, Now).Verb);
        var removed = After(taken, Verb.Remove, EngineOutcome.Done);
        Assert.Equal(Verb.Create, ContainerStep.Next(Wanted, removed, Now).Verb);
        Assert.Equal(0, removed.Port);
    }

    [Fact]
    public void After_a_power_loss_everything_is_looked_at_and_started_at_once()
    {
        var off = ContainerStep.PoweredOff(Of(Presence.Running) with { HasRun = true, Restarts = 5, Waiting = Work.Run, RetryAt = Now.AddHours(1) });
        Assert.Equal(Verb.Inspect, ContainerStep.Next(Wanted, off, Now).Verb);
        var seen = ContainerStep.Seen(off, Found(Presence.Exited, Now.AddHours(-1)), Now);
        Assert.Equal(Verb.Start, ContainerStep.Next(Wanted, seen, Now).Verb);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(8, 60)]
    [InlineData(1_000_000, 60)]
    public void Restart_delays(int restart, double seconds) => Assert.Equal(seconds, Backoff.BeforeRestart(restart).TotalSeconds);

    private static Observed Of(Presence presence) => new() { Id = "web-1", Presence = presence };

    private static EngineContainer Found(Presence presence, DateTimeOffset? startedAt) =>
        new() { Id = "web-1", Presence = presence, StartedAt = startedAt, ExitCode = 1, Port = 10_000 };

    private static Observed After(Observed observed, Verb verb, EngineOutcome outcome) =>
        ContainerStep.After(observed, new Operation(verb), new EngineResult(outcome, outcome.ToString()), Now);

    private static Observed Start(Observed observed, DateTimeOffset now) =>
        ContainerStep.After(observed, new Operation(Verb.Start), EngineResult.Done, now);

    private static (Observed Observed, DateTimeOffset Now) Exit(Observed running, DateTimeOffset now, double after) =>
        (ContainerStep.Seen(running with { Stale = true }, Found(Presence.Exited, running.StartedAt), now.AddSeconds(after)), now.AddSeconds(after));
}
