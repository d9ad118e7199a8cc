using Hosting.Placement;
using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.Faults;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// When faults have stopped and there is room: every app runs as its user wants it, nothing else runs, and the ledger projects for
/// no server more than was measured there.
/// </summary>
internal sealed class ConvergenceCheck(Region region)
{
    public void Check()
    {
        foreach (var app in region.Users.Apps)
            if (WhyNot(app) is { } why) region.Watch.Fail("every app converges", $"{app.Name}, revision {app.Revision} ({app.Spec.Image}): {why}");
        foreach (var agent in region.Agents)
            if (agent.Machine.Processes.FirstOrDefault(p => p.Runs && region.Database.Find(p.Id) is null) is { } orphan)
                region.Watch.Fail("nothing runs that has no record", $"{orphan.Id} on {agent.Machine.Name}");
        CheckProjections();
    }

    /// <summary>Servers and VMs that were told to empty themselves are empty.</summary>
    public void CheckEmpty(IEnumerable<(string Server, string? Vm)> drained)
    {
        foreach (var (server, vm) in drained)
            if (region.Database.OnServer(server).FirstOrDefault(c => vm is null || c.Vm == vm) is { } left)
                region.Watch.Fail("what is drained gets empty", $"{left.Id} is {left.State} on {server}/{left.Vm}");
    }

    private string? WhyNot(UserApp app)
    {
        var records = region.Database.OfApp(app.Name);
        if (records.Count != app.Replicas) return $"{records.Count} of {app.Replicas} replicas: {Words(records)}";
        if (records.Find(c => !c.GetsTraffic || !Serves(c)) is { } sick) return $"{sick.Id} on {sick.Server}/{sick.Vm} does not serve: {Words([sick])}";
        var revisions = records.Select(c => c.Revision).Distinct().ToList();
        if (revisions.Count != 1) return $"revisions {string.Join(", ", revisions)} run";
        if (app.IsGood && revisions[0] != app.Revision) return $"revision {revisions[0]} runs, stopped at {region.App(app.Name).StoppedAt}";
        return null;
    }

    /// <summary>Whether its process really runs, and is healthy.</summary>
    private bool Serves(ContainerRecord record) => region.Agent(record.Server) is { Works: true } agent
        && agent.Machine.Processes.FirstOrDefault(p => p.Id == record.Id) is { Runs: true, Healthy: true } process
        && !process.Spec.Image.StartsWith(Lifecycle.Bad, StringComparison.Ordinal);

    private void CheckProjections()
    {
        var probe = new PlacementRequest { App = "probe", Revision = 1, Demand = new Demand(1, 1) };
        foreach (var candidate in region.Placement.Explain(probe, 2 * region.Vms.Count).Candidates)
        {
            var book = region.Watch.Books[candidate.Server];
            var (cpu, memory) = (1.0 / book.Machine.Record.CpuMillis, 1.0 / book.Machine.Record.MemoryMiB);
            var measured = book.Last!.Utilization;
            if (Math.Abs(candidate.ProjectedCpu - cpu - measured.Cpu) > 1e-6 || Math.Abs(candidate.ProjectedMemory - memory - measured.Memory) > 1e-6)
                region.Watch.Fail("nothing stays in flight", $"{candidate.Server}: projected {candidate.ProjectedCpu:0.000}, measured {measured.Cpu:0.000}");
        }
    }

    private string Words(IEnumerable<ContainerRecord> records) => string.Join("; ", records.OrderBy(c => c.GetsTraffic).Take(3).Select(Words));

    private string Words(ContainerRecord container)
    {
        var process = region.Agent(container.Server).Machine.Processes.FirstOrDefault(p => p.Id == container.Id);
        var really = process is null ? "there is no process" : $"its process {(process.Runs ? "runs" : "is down")}{(process.Healthy ? ", healthy" : "")}{(process.Stopping ? ", to be stopped" : "")}, {process.Restarts} restarts";
        var reached = region.Vm(container.Server, container.Vm).IsLinked ? "" : ", its VM's grain does not reach the agent";
        return $"{container.Id} r{container.Revision} {container.State} {(container.Healthy ? "healthy" : container.Reason)} for {(region.Now - container.CreatedAt).TotalSeconds:0} s on {container.Server}/{container.Vm} ({really}{reached})";
    }
}
