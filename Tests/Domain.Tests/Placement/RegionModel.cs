using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Placement;

/// <summary>
/// The matching as the rule is worded, by plain scans over plain lists: slow, and written without a look at the ledger.
/// It never chooses; it says which choices are right.
/// </summary>
internal sealed class RegionModel(Thresholds defaults, TimeSpan staleAfter)
{
    public sealed class Server
    {
        public required ServerRecord Record { get; set; }
        public bool Online { get; set; }
        public DateTimeOffset? HeardAt { get; set; }
        public bool Unprotected { get; set; }
        public Utilization Utilization { get; set; }
        public DateTimeOffset? SampledAt { get; set; }
        public List<Vm> Vms { get; set; } = [];
    }

    public sealed class Vm
    {
        public required VmRecord Record { get; set; }
        public bool Gone { get; set; }
    }

    public sealed class Container
    {
        public required ContainerRecord Record { get; init; }
        public DateTimeOffset? StartedAt { get; set; }
        public bool Measured { get; set; }
    }

    public List<Server> Servers { get; } = [];
    public List<Container> Containers { get; } = [];
    public DateTimeOffset Now { get; set; }
    public Thresholds Defaults { get; set; } = defaults;

    public int VmCount => Servers.Sum(server => server.Vms.Count);

    public Server Get(string name) => Servers.Single(server => server.Record.Name == name);

    public void Offer(ServerRecord record, IReadOnlyList<VmRecord> vms, bool online)
    {
        var server = Servers.SingleOrDefault(known => known.Record.Name == record.Name);
        if (server is null) Servers.Add(server = new Server { Record = record });
        server.Record = record;
        server.Online = online;
        server.HeardAt = null;
        var gone = server.Vms.Where(vm => vms.All(offer => offer.Name != vm.Record.Name)).Where(vm => On(server, vm).Any()).ToList();
        foreach (var vm in gone) vm.Gone = true;
        server.Vms = [.. vms.Select(offer => new Vm { Record = offer }), .. gone];
    }

    public void Leave(string name)
    {
        var server = Get(name);
        (server.Online, server.HeardAt) = (false, null);
    }

    public void Report(string name, UtilizationReport report)
    {
        var server = Get(name);
        if (!server.Online) return;
        (server.Utilization, server.SampledAt, server.HeardAt, server.Unprotected) = (report.Utilization, report.SampledAt, Now, report.Unprotected is not null);
        foreach (var container in Containers.Where(c => c.Record.Server == name && c.StartedAt < report.SampledAt)) container.Measured = true;
        foreach (var vm in server.Vms)
            if (report.Vms.FirstOrDefault(r => r.Vm == vm.Record.Name) is { } said) vm.Record = vm.Record with
            {
                Ready = said.Ready, Leaving = said.Leaving, CpuMillis = said.CpuMillis > 0 ? said.CpuMillis : vm.Record.CpuMillis,
                MemoryMiB = said.MemoryMiB > 0 ? said.MemoryMiB : vm.Record.MemoryMiB,
            };
    }

    public void Started(string id, DateTimeOffset at)
    {
        var container = Containers.SingleOrDefault(c => c.Record.Id == id);
        if (container is null || container.StartedAt >= at) return;
        container.StartedAt = at;
        container.Measured = Get(container.Record.Server).SampledAt > at;
    }

    public void Add(ContainerRecord record) => Containers.Add(new Container { Record = record, StartedAt = record.StartedAt });

    public bool Release(string id)
    {
        var container = Containers.SingleOrDefault(c => c.Record.Id == id);
        if (container is null) return false;
        Containers.Remove(container);
        var server = Get(container.Record.Server);
        server.Vms.RemoveAll(vm => vm.Gone && !On(server, vm).Any());
        return true;
    }

    public PlacementRule? Excludes(Server server, Vm vm, PlacementRequest request)
    {
        if (!server.Online) return PlacementRule.Offline;
        if (IsStale(server)) return PlacementRule.Stale;
        if (server.Record.Cordoned) return PlacementRule.Cordoned;
        if (server.Unprotected) return PlacementRule.Unprotected;
        if (vm.Record.Cordoned || vm.Record.Leaving) return PlacementRule.Cordoned;
        if (vm.Gone || !vm.Record.Ready) return PlacementRule.VmNotReady;
        if (!Allowed(server, request)) return PlacementRule.Constraints;
        if (FreeCpu(server, vm) < request.Demand.CpuMillis) return PlacementRule.FreeCpu;
        if (FreeMemory(server, vm) < request.Demand.MemoryMiB) return PlacementRule.FreeMemory;
        if (ProjectedCpu(server, request.Demand.CpuMillis) >= Admit(server)) return PlacementRule.CpuThreshold;
        if (ProjectedMemory(server, request.Demand.MemoryMiB) >= Admit(server)) return PlacementRule.MemoryThreshold;
        return null;
    }

    public bool IsStale(Server server) => server.HeardAt is null || Now - server.HeardAt >= staleAfter;

    public List<(Server Server, Vm Vm)> Matches(PlacementRequest request) =>
        [.. from server in Servers from vm in server.Vms where Excludes(server, vm, request) is null select (server, vm)];

    public List<RuleCount> Counts(PlacementRequest request) =>
        [.. from server in Servers
            from vm in server.Vms
            let rule = Excludes(server, vm, request)
            where rule is not null
            group vm by rule.Value into excluded
            orderby excluded.Key
            select new RuleCount(excluded.Key, excluded.Count())];

    public int Replicas(string app, Server server) => Containers.Count(c => c.Record.App == app && c.Record.Server == server.Record.Name);

    /// <summary>VMs of a server as they are preferred: fewest replicas of the app if it is spread, then the least room in shares of the server.</summary>
    public IEnumerable<Vm> Preferred(Server server, IEnumerable<Vm> vms, PlacementRequest request) => vms
        .OrderBy(vm => request.Spread == Spread.Server ? On(server, vm).Count(c => c.Record.App == request.App) : 0)
        .ThenBy(vm => (long)FreeCpu(server, vm) * server.Record.MemoryMiB + (long)FreeMemory(server, vm) * server.Record.CpuMillis);

    public int FreeCpu(Server server, Vm vm) => vm.Record.CpuMillis - On(server, vm).Sum(c => c.Record.Demand.CpuMillis);

    public int FreeMemory(Server server, Vm vm) => vm.Record.MemoryMiB - On(server, vm).Sum(c => c.Record.Demand.MemoryMiB);

    public double Admit(Server server) => (server.Record.Thresholds ?? Defaults).Admit;

    public double ProjectedCpu(Server server, int demand) =>
        server.Utilization.Cpu + (double)(InFlight(server).Sum(c => c.Record.Demand.CpuMillis) + demand) / server.Record.CpuMillis;

    public double ProjectedMemory(Server server, int demand) =>
        server.Utilization.Memory + (double)(InFlight(server).Sum(c => c.Record.Demand.MemoryMiB) + demand) / server.Record.MemoryMiB;

    public IEnumerable<Container> On(Server server, Vm vm) =>
        Containers.Where(c => c.Record.Server == server.Record.Name && c.Record.Vm == vm.Record.Name);

    private IEnumerable<Container> InFlight(Server server) => Containers.Where(c => c.Record.Server == server.Record.Name && !c.Measured);

    private static bool Allowed(Server server, PlacementRequest request) =>
        request.Avoid?.Contains(server.Record.Name) != true
        && (request.Constraints ?? new Dictionary<string, string>()).All(c => server.Record.Labels.GetValueOrDefault(c.Key) == c.Value);
}
