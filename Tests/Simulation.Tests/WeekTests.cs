using Hosting.Simulation.Tests.Load;

namespace Hosting.Simulation.Tests;

/// <summary>Every run looks at a seed that nobody has seen yet. A class of its own, so that it runs beside the others.</summary>
public sealed class WeekTests(ITestOutputHelper output)
{
    [Fact]
    public void A_week_of_1000_servers_breaks_no_rule()
    {
        var load = LoadSource.Find();
        foreach (var trial in Wanted.Trials()) trial.Run(load, output);
    }
}
