using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests;

/// <summary>Seeds that are always the same: what breaks here was broken by the last change.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_day_of_1000_servers_breaks_no_rule(int seed) => new Trial(seed, Trial.AllServers, Days: 1).Run(LoadSource.Find(), output);

    // A small region is crowded: placements, budget and drains get into each other's way more often.
    [Fact]
    public void A_day_of_ten_small_regions_breaks_no_rule()
    {
        var load = LoadSource.Find();
        for (var seed = 100; seed < 110; seed++) new Trial(seed, Servers: 150, Days: 1).Run(load, output);
    }

    [Fact]
    public void The_same_seed_is_the_same_history()
    {
        var load = LoadSource.Find();
        Assert.Equal(History(), History());

        (long, string) History()
        {
            var scenario = new Trial(3, Servers: 60, Days: 1).NewScenario(load);
            scenario.Run(days: 1);
            return (scenario.Events, scenario.Watch.Tally.ToString());
        }
    }

    [Fact]
    public void Without_the_real_traces_invented_ones_do() =>
        new Trial(4, Servers: 200, Days: 1).Run(new LoadSource("invented traces", InventedTraces.All()), output);
}
