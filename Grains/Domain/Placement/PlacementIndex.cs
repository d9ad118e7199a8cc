using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>Finds the best VM for a demand. Every change of a server or its VMs happens between <see cref="Withdraw"/> and <see cref="Enter"/>.</summary>
internal sealed class PlacementIndex
{
    private readonly List<ServerEntry> _servers = [];

    public IReadOnlyList<ServerEntry> Servers => _servers;

    public int Vms { get; private set; }

    public void Add(ServerEntry server) => _servers.Add(server);

    public void Withdraw(ServerEntry server) => Vms -= server.Vms.Length;

    public void Enter(ServerEntry server) => Vms += server.Vms.Length;

    public VmEntry? Find(PlacementQuery query)
    {
        ServerEntry? best = null;
        foreach (var server in _servers)
            if (server.ClosedBy is null && query.Allows(server) && server.Vms.Any(vm => vm.Fits(query.Demand))
                && (best is null || Better(server, best, query))) best = server;
        return best is null ? null : BestFit(best, query.Demand);
    }

    public int[] CountExclusions(PlacementQuery query)
    {
        var counts = new int[PlacementRules.Count];
        foreach (var server in _servers)
        {
            var allowed = query.Allows(server);
            foreach (var vm in server.Vms)
                if (PlacementRules.Excluding(vm, query.Demand, allowed) is { } rule) counts[(int)rule]++;
        }
        return counts;
    }

    public static VmEntry? BestFit(ServerEntry server, Demand demand)
    {
        VmEntry? best = null;
        foreach (var vm in server.Vms)
            if (vm.Fits(demand) && (best is null || PlacementScore.Room(vm) < PlacementScore.Room(best))) best = vm;
        return best;
    }

    private static bool Better(ServerEntry server, ServerEntry than, PlacementQuery query)
    {
        var replicas = query.Spread ? query.App.On(server) - query.App.On(than) : 0;
        return replicas < 0 || (replicas == 0 && PlacementScore.Of(server) < PlacementScore.Of(than));
    }
}
