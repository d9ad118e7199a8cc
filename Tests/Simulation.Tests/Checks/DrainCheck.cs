using Hosting.Placement;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>The order of a drain: no agent is told to end a container while its record still says that it gets traffic.</summary>
/// <param name="find">The durable record of a container; null when it is over.</param>
/// <param name="fail">Is told of what is wrong.</param>
internal sealed class DrainCheck(Func<string, ContainerRecord?> find, Action<string, string> fail)
{
    /// <summary>An agent took what should run in a VM from now on.</summary>
    public void Told(Engine engine)
    {
        if (engine.Processes.Count == 0) return;
        var stays = engine.Desired!.Containers.Where(c => !c.Stop).Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var process in engine.Processes.Values)
            if (process is { Runs: true, Stopping: false } && !stays.Contains(process.Id) && find(process.Id) is { GetsTraffic: true } record)
                fail("nothing that gets traffic is stopped", $"{record.Id} on {record.Server}/{record.Vm} is {record.State}");
    }
}
