using Hosting.Placement;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// Every placement: its VM has the room, its server was heard from and is open, and with everything placed there that the last
/// report cannot include, the server stays under its admit threshold.
/// </summary>
internal sealed class AdmissionCheck(Books books, Thresholds thresholds, Action<string, string> fail)
{
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(3);

    // Of rounding alone.
    private const double Nothing = 1e-9;

    /// <summary>Before it enters the books.</summary>
    public void Placed(ContainerRecord record, DateTimeOffset now)
    {
        var server = books[record.Server];
        CheckRoom(server, record);
        if (server.Closed.Contains("") || server.Closed.Contains(record.Vm)) fail("nothing is placed on what is closed", $"{record.Id} on {record.Server}/{record.Vm}");
        if (server.Last is null || now - server.HeardAt >= StaleAfter)
        {
            fail("nothing is placed on a server not heard from", $"{record.Id} on {record.Server}, heard at {server.HeardAt:O}, now {now:O}");
            return;
        }
        CheckThreshold(server, record);
    }

    private void CheckRoom(ServerBook server, ContainerRecord record)
    {
        var vm = server.Machine.Engines.First(e => e.Name == record.Vm);
        var (cpu, memory) = (record.Demand.CpuMillis, record.Demand.MemoryMiB);
        foreach (var other in server.Containers.Values)
            if (other.Vm == record.Vm) (cpu, memory) = (cpu + other.Demand.CpuMillis, memory + other.Demand.MemoryMiB);
        if (cpu > vm.CpuMillis || memory > vm.MemoryMiB)
            fail("no VM over capacity", $"{record.Id} on {record.Server}/{record.Vm}: {cpu}m of {vm.CpuMillis}m CPU, {memory} of {vm.MemoryMiB} MiB");
    }

    private void CheckThreshold(ServerBook server, ContainerRecord record)
    {
        var (cpu, memory) = (record.Demand.CpuMillis, record.Demand.MemoryMiB);
        foreach (var other in server.Containers.Values)
            if (!IsIncluded(server, other)) (cpu, memory) = (cpu + other.Demand.CpuMillis, memory + other.Demand.MemoryMiB);
        var shareOfCpu = server.Last!.Utilization.Cpu + (double)cpu / server.Machine.Record.CpuMillis;
        var shareOfMemory = server.Last.Utilization.Memory + (double)memory / server.Machine.Record.MemoryMiB;
        if (Math.Max(shareOfCpu, shareOfMemory) >= thresholds.Admit + Nothing)
            fail("no placement at or over threshold", $"{record.Id} on {record.Server}: CPU {shareOfCpu:0.000}, memory {shareOfMemory:0.000}, admit {thresholds.Admit:0.00}");
    }

    /// <summary>Whether its process really ran before the last report was sampled.</summary>
    private static bool IsIncluded(ServerBook server, ContainerRecord container) =>
        server.Machine.FirstStartOf(container.Id) is { } started && started < server.Last!.SampledAt;
}
