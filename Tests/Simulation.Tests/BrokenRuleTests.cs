using Hosting.Placement;
using Hosting.Regions;
using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests;

/// <summary>A checker that cannot fail proves nothing: a region that keeps to a looser rule than the one it is judged by is caught.</summary>
public sealed class BrokenRuleTests(ITestOutputHelper output)
{
    private static readonly RegionPolicy Default = new();
    private static readonly RegionPolicy AnyNumberAtOnce = new() { MovesAtOnce = 10_000 };

    [Fact]
    public void A_higher_threshold_is_seen() => AssertSeen(
        "no placement at or over threshold", Default with { Thresholds = Thresholds.Default with { Admit = 0.62 } }, Default);

    [Fact]
    public void A_shorter_cool_down_is_seen() => AssertSeen(
        "never back within the cool-down", Default with { CooldownSeconds = 20 }, Default);

    [Fact]
    public void Too_many_moves_at_once_are_seen() => AssertSeen(
        "at most so many moves at once", Default with { MovesAtOnce = 6 }, Default with { MovesAtOnce = 5 });

    [Fact]
    public void Too_many_moves_in_a_minute_are_seen() => AssertSeen(
        "at most so many moves a minute", AnyNumberAtOnce with { MovesPerMinute = 6 }, AnyNumberAtOnce with { MovesPerMinute = 5 });

    [Fact]
    public void An_older_placement_that_commits_is_seen() => AssertSeen("only the newest placement commits", Default, Default, fenced: false);

    // Little room for many apps, so that what is forbidden would be of use.
    private void AssertSeen(string rule, RegionPolicy kept, RegionPolicy judged, bool fenced = true)
    {
        var scenario = new Scenario(5, LoadSource.Find(), servers: 150, apps: 120, kept, judged);
        scenario.Database.IsFenced = fenced;
        var seen = scenario.Run(days: 2);
        output.WriteLine($"{seen?.Seconds:0} s: {seen?.Rule}: {seen?.Message}; {scenario.Watch.Tally}");
        Assert.Equal(rule, seen?.Rule);
    }
}
