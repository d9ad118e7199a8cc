using Hosting.Domain.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Placement;

/// <summary>A region of 10-core, 10,000 MiB servers, for tests that tell a story.</summary>
internal sealed class SmallRegion
{
    private int _ids;

    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public PlacementLedger Ledger { get; } = new("eu-1", Thresholds.Default);

    public static ServerRecord Server(string name, params (string, string)[] labels) => new()
    {
        Region = "eu-1", Name = name, CpuMillis = 10_000, MemoryMiB = 10_000, Labels = labels.ToDictionary(l => l.Item1, l => l.Item2),
    };

    public static VmRecord Vm(string server, string name, int cpu = 2000, int memory = 2000) => new()
    {
        Region = "eu-1", Server = server, Name = name, Driver = "nested", CpuMillis = cpu, MemoryMiB = memory, Ready = true,
    };

    /// <summary>Joins a server and reports it idle.</summary>
    public SmallRegion With(string name, params VmRecord[] vms)
    {
        Ledger.Join(Server(name), vms.Length > 0 ? vms : [Vm(name, "vm-1"), Vm(name, "vm-2")]);
        Report(name);
        return this;
    }

    public void Report(
        string server, double cpu = 0, double memory = 0, DateTimeOffset? sampledAt = null, double heldBack = 0, string? unprotected = null) =>
        Assert.True(Ledger.Report(server, new UtilizationReport
        {
            SampledAt = sampledAt ?? Now, Utilization = new(cpu, memory, 0), HeldBack = heldBack, CapMillis = heldBack > 0 ? 800 : null, Unprotected = unprotected, Vms = [],
        }, Now));

    public static PlacementRequest Request(int cpu = 1000, int memory = 100, int count = 1, string app = "shop") =>
        new() { App = app, Revision = 1, Demand = new Demand(cpu, memory), Count = count };

    public PlacementPlan Place(PlacementRequest request) => Ledger.Place(request, _ => $"shop-{++_ids}", Now);

    /// <summary>Where one replica goes, <c>server/vm</c>; the refusal's sentence when it goes nowhere.</summary>
    public string PlaceOne(PlacementRequest request) =>
        Place(request) is { Refusal: null } plan ? $"{plan.Placed[0].Server}/{plan.Placed[0].Vm}" : Place(request).Refusal!.Message;
}
