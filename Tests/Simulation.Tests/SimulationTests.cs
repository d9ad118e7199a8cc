using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests;

/// <summary>
/// One seed is one history: servers, load, apps, faults. <c>HOSTING_SIMULATION_SEED</c> runs a week of the seed it names in place of
/// the fresh one.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const string SeedVariable = "HOSTING_SIMULATION_SEED";
    private const int Servers = 1_000;
    private const int Apps = 400;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_day_of_1000_servers_breaks_no_rule(int seed) => Run(seed, days: 1);

    [Fact]
    public void A_week_of_1000_servers_breaks_no_rule() => Run(
        Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } seed
            ? int.Parse(seed, CultureInfo.InvariantCulture)
            : RandomNumberGenerator.GetInt32(int.MaxValue),
        days: 7);

    [Fact]
    public void The_same_seed_is_the_same_history()
    {
        var load = LoadSource.Find();
        Assert.Equal(History(), History());

        (long, string) History()
        {
            var scenario = new Scenario(3, load, servers: 60, apps: 30);
            scenario.Run(days: 1);
            return (scenario.Events, scenario.Watch.Tally.ToString());
        }
    }

    [Fact]
    public void Without_the_real_traces_invented_ones_do() =>
        Assert.Null(new Scenario(4, new LoadSource("invented", InventedTraces.All()), servers: 200, apps: 80).Run(days: 1));

    [Fact]
    public void Search()
    {
        var load = LoadSource.Find();
        var from = int.Parse(Environment.GetEnvironmentVariable("SEARCH") ?? "0", CultureInfo.InvariantCulture);
        for (var seed = from; seed < from + (from == 0 ? 0 : 40); seed++)
        {
            var began = Stopwatch.GetTimestamp();
            var scenario = new Scenario(seed, load, int.Parse(Environment.GetEnvironmentVariable("SIZE") ?? "150", CultureInfo.InvariantCulture), int.Parse(Environment.GetEnvironmentVariable("SIZE") ?? "150", CultureInfo.InvariantCulture) * 2 / 5);
            var v = scenario.Run(1);
            if (v is null && Environment.GetEnvironmentVariable("STOP") is not null) continue;
            output.WriteLine($"SEED {seed} {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s {v?.Seconds} {v?.Rule}: {v?.Message}\n     {scenario.Watch.Tally}");
            if (v is not null && Environment.GetEnvironmentVariable("STOP") is not null) return;
        }
    }

    private void Run(int seed, int days)
    {
        var load = LoadSource.Find();
        output.WriteLine($"{SeedVariable}={seed}: {days} days of {Servers} servers, {load.Description}");
        var began = Stopwatch.GetTimestamp();
        var scenario = new Scenario(seed, load, Servers, Apps);
        var broken = scenario.Run(days);
        var watch = scenario.Watch;
        output.WriteLine($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s, {scenario.Events} events; {watch.Tally}");
        output.WriteLine($"at most {watch.Budget.Most} moves under pressure at once, {watch.Budget.MostPerMinute} begun in a minute, {watch.Flaps.MostPerReplica:0.0} an hour for a replica of one app");
        Assert.True(broken is null, $"{broken?.Rule}, {broken?.Seconds:0.000} s after the start: {broken?.Message}\nAgain: {SeedVariable}={seed} ({days} days)");
    }
}
