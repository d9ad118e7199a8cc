using System.Diagnostics;
using Hosting.Simulation.Tests.Checks;
using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests;

/// <summary>One seed is one history: servers, load, apps, faults, over so many days. Two of five servers' worth of apps.</summary>
internal sealed record Trial(int Seed, int Servers, int Days)
{
    public const int AllServers = 1_000;

    /// <summary>What to set to see it again.</summary>
    public string Again => $"{Wanted.Seeds}={Seed} {Wanted.Servers}={Servers} {Wanted.Days}={Days} ./infra/test Simulation";

    public Scenario NewScenario(LoadSource load) => new(Seed, load, Servers, Math.Max(1, Servers * 2 / 5));

    /// <summary>Fails with the rule, the numbers and the way to repeat it; the output says what happened otherwise.</summary>
    public void Run(LoadSource load, ITestOutputHelper output)
    {
        output.WriteLine($"seed {Seed}: {Days} days of {Servers} servers, {load.Description}");
        var began = Stopwatch.GetTimestamp();
        var scenario = NewScenario(load);
        var broken = scenario.Run(Days);
        output.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {scenario.Events} events; {Words(scenario.Watch)}");
        Assert.True(broken is null, $"{broken?.Rule}, {broken?.Seconds:0.000} s after the start, {load.Description}: {broken?.Message}\nAgain: {Again}");
    }

    private static string Words(Watch watch) =>
        $"{watch.Tally}; at most {watch.Budget.Most} moves under pressure at once, {watch.Budget.MostPerMinute} begun in a minute, "
        + $"{watch.Flaps.MostPerReplica:0.0} an hour for a replica of one app";
}
