using CsCheck;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Placement;

/// <summary>One thing that happens to a region.</summary>
internal abstract record Event
{
    public sealed record Join(ServerRecord Server, IReadOnlyList<VmRecord> Vms) : Event;
    public sealed record Restored(ServerRecord Server, IReadOnlyList<VmRecord> Vms) : Event;
    public sealed record RestoredContainer(int Server, int Vm, int App, Demand Demand, bool HasStarted) : Event;
    public sealed record Leave(int Server) : Event;
    public sealed record Configure(int Server, bool Cordoned, Thresholds? Thresholds) : Event;
    public sealed record ConfigureVm(int Server, int Vm, bool Cordoned) : Event;
    public sealed record SetDefaults(Thresholds Thresholds) : Event;
    public sealed record Report(int Server, Utilization Utilization, bool[] Ready, int[] Size, int SampledAgoMs) : Event;
    public sealed record ReportAll(Utilization Utilization) : Event;
    public sealed record Place(PlacementRequest Request) : Event;
    public sealed record Release(int Which) : Event;
    public sealed record Started(int Which, int AgoMs) : Event;
    public sealed record Wait(int Milliseconds) : Event;
}

/// <summary>Random histories of a region of some size.</summary>
internal sealed class History(int servers, int apps, Gen<Demand> demands, int replicas)
{
    public const string Region = "eu-1";

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly int[] Sizes = [100, 250, 500, 1000, 1001, 2000, 4000];

    /// <summary>Few demands, as people choose them: they meet the same sizes again and again.</summary>
    public static Gen<Demand> RoundDemands { get; } =
        Gen.Select(Gen.OneOf(50, 100, 250, 500, 1000), Gen.OneOf(32, 64, 128, 256, 512), (cpu, memory) => new Demand(cpu, memory));

    /// <summary>Hardly ever the same demand twice.</summary>
    public static Gen<Demand> AnyDemands { get; } = Gen.Select(Gen.Int[1, 1200], Gen.Int[1, 600], (cpu, memory) => new Demand(cpu, memory));

    /// <summary>More different demands than the index has classes for, asked for again and again.</summary>
    public static Gen<Demand> ManyDemands { get; } =
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 12], (cpu, memory) => new Demand(cpu * 90, memory * 40));

    public static string ServerName(int server) => $"srv-{server}";

    public Gen<Event[]> OfLength(int least, int most) => Events.Array[least, most];

    private Gen<int> Server => Gen.Int[0, servers - 1];

    private static Gen<Thresholds> Thresholds => Gen.OneOf(0.2, 0.5, 0.6, 0.9, 1.0).Select(admit => new Thresholds(admit, 1));

    private static Gen<double> Share => Gen.Frequency((4, Gen.Double[0, 0.4]), (1, Gen.Double[0, 1]), (1, Gen.OneOf(0, 0.1, 0.5, 0.6, 1.0)));

    private static Gen<Utilization> Utilization => Gen.Select(Share, Share, (cpu, memory) => new Utilization(cpu, memory, cpu / 2));

    private Gen<ServerRecord> Record => Gen.Select(
        Server, Gen.OneOf(Sizes), Gen.OneOf(512, 1024, 4096), Gen.Int[0, 3], Gen.Bool,
        (server, cpu, memory, label, hasOwn) => new ServerRecord
        {
            Region = Region, Name = ServerName(server), CpuMillis = 2 * cpu, MemoryMiB = 2 * memory,
            Labels = label == 0 ? new Dictionary<string, string>() : new Dictionary<string, string> { ["disk"] = label == 1 ? "ssd" : "hdd", ["rack"] = $"{server % 3}" },
            Thresholds = hasOwn && label == 3 ? new Thresholds(0.4, 0.9) : null,
        });

    private static Gen<VmRecord> Vm => Gen.Select(
        Gen.Int[0, 4], Gen.OneOf(Sizes), Gen.OneOf(64, 256, 1024, 2048), Gen.Int[0, 5],
        (vm, cpu, memory, ready) => new VmRecord
        {
            Region = Region, Server = "", Name = $"vm-{vm}", Driver = "nested", CpuMillis = cpu, MemoryMiB = memory, Ready = ready > 0,
        });

    private Gen<(ServerRecord, IReadOnlyList<VmRecord>)> Offer => Gen.Select(Record, Vm.Array[0, 4], (server, vms) =>
        (server, (IReadOnlyList<VmRecord>)[.. vms.DistinctBy(vm => vm.Name).Select(vm => vm with { Server = server.Name })]));

    private Gen<PlacementRequest> Request => Gen.Select(
        Gen.Int[0, apps - 1], demands, Gen.Int[1, replicas], Gen.Int[0, 5], Gen.Int[0, 5], Server.Array[0, 2],
        (app, demand, count, kind, labels, avoid) => new PlacementRequest
        {
            App = $"app-{app}", Revision = 1, Demand = demand, Count = kind > 2 ? 1 : count,
            Spread = kind == 5 ? Spread.None : Spread.Server, AllOrNothing = kind == 1,
            Constraints = labels switch
            {
                0 => new Dictionary<string, string> { ["disk"] = "ssd" },
                1 => new Dictionary<string, string> { ["disk"] = "hdd", ["rack"] = "1" },
                2 => new Dictionary<string, string>(),
                _ => null,
            },
            Avoid = labels > 3 ? [.. avoid.Select(ServerName), "srv-unknown"] : null,
        });

    /// <summary>Mostly as it was; -1: leaving; else its size in steps of 64 MiB and of 100 m.</summary>
    private static Gen<int> Resized => Gen.Frequency((8, Gen.Const(0)), (1, Gen.Const(-1)), (2, Gen.Int[1, 32]));

    private Gen<Event> Events => Gen.Frequency(
        (3, Offer.Select((server, vms) => (Event)new Event.Join(server, vms))),
        (1, Offer.Select((server, vms) => (Event)new Event.Restored(server, vms))),
        (1, Gen.Select(Server, Gen.Int[0, 4], Gen.Int[0, apps - 1], demands, Gen.Bool)
            .Select((server, vm, app, demand, started) => (Event)new Event.RestoredContainer(server, vm, app, demand, started))),
        (1, Server.Select(server => (Event)new Event.Leave(server))),
        (1, Gen.Select(Server, Gen.Int[0, 2], Thresholds)
            .Select((server, kind, own) => (Event)new Event.Configure(server, kind == 0, kind == 1 ? own : null))),
        (1, Gen.Select(Server, Gen.Int[0, 4], Gen.Bool).Select((server, vm, cordoned) => (Event)new Event.ConfigureVm(server, vm, cordoned))),
        (1, Thresholds.Select(thresholds => (Event)new Event.SetDefaults(thresholds))),
        (8, Gen.Select(Server, Utilization, Gen.Int[0, 4].Select(i => i > 0).Array[5], Resized.Array[5], Gen.Int[0, 300])
            .Select((server, utilization, ready, size, ago) => (Event)new Event.Report(server, utilization, ready, size, ago))),
        (3, Utilization.Select(utilization => (Event)new Event.ReportAll(utilization))),
        (14, Request.Select(request => (Event)new Event.Place(request))),
        (6, Gen.Int[0, 999].Select(which => (Event)new Event.Release(which))),
        (5, Gen.Select(Gen.Int[0, 999], Gen.Int[0, 300]).Select((which, ago) => (Event)new Event.Started(which, ago))),
        (3, Gen.Int[0, 2000].Select(milliseconds => (Event)new Event.Wait(milliseconds))));
}
