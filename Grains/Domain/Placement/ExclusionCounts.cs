using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// How many VMs each rule excludes for one demand and one set of labels, kept true change by change, so that refusing
/// again needs no scan. Counts VMs of open servers only; the others are excluded whatever is asked.
/// </summary>
/// <param name="demand">What one replica needs.</param>
/// <param name="constraints">Labels asked for; null for none.</param>
/// <param name="counts">By rule, as they are now.</param>
internal sealed class ExclusionCounts(Demand demand, IReadOnlyDictionary<string, string>? constraints, int[] counts)
{
    private readonly int[] _counts = counts;
    private PlacementRefusal? _said;
    private int[] _saidOf = [];

    public Demand Demand { get; } = demand;

    /// <summary>Changes since it was asked last.</summary>
    public int IdleChanges { get; private set; }

    public bool IsFor(in PlacementQuery query) => query.Demand == Demand && SameConstraints(query.Constraints);

    /// <summary>Adds the VMs of a server, or takes them away again while nothing about it has changed.</summary>
    /// <param name="server">Any server.</param>
    /// <param name="sign">1 adds, -1 takes away.</param>
    public void Count(ServerEntry server, int sign)
    {
        IdleChanges++;
        if (server.ClosedBy is not null) return;
        var labelled = PlacementRules.LabelsMatch(server, constraints);
        foreach (var vm in server.Vms)
            if (vm.Takes && (labelled ? PlacementRules.Shortage(vm, Demand) : PlacementRule.Constraints) is { } rule) _counts[(int)rule] += sign;
    }

    /// <summary>Puts the counts together with those of the closed VMs, and with the servers to be avoided.</summary>
    public PlacementRefusal Refuse(string region, int vms, ReadOnlySpan<int> closed, HashSet<ServerEntry> avoid)
    {
        IdleChanges = 0;
        var counts = new int[PlacementRules.Count];
        for (var rule = 0; rule < counts.Length; rule++) counts[rule] = _counts[rule] + closed[rule];
        foreach (var server in avoid) Avoid(server, counts);
        return Say(region, vms, counts);
    }

    private void Avoid(ServerEntry server, int[] counts)
    {
        if (server.ClosedBy is not null || !PlacementRules.LabelsMatch(server, constraints)) return;
        foreach (var vm in server.Vms)
        {
            if (!vm.Takes) continue;
            counts[(int)PlacementRule.Constraints]++;
            if (PlacementRules.Shortage(vm, Demand) is { } rule) counts[(int)rule]--;
        }
    }

    private PlacementRefusal Say(string region, int vms, int[] counts)
    {
        if (_said is not null && _said.Vms == vms && counts.AsSpan().SequenceEqual(_saidOf)) return _said;
        _saidOf = counts;
        return _said = PlacementRefusals.Refuse(region, Demand, vms, counts);
    }

    private bool SameConstraints(IReadOnlyDictionary<string, string>? others)
    {
        if (others is null || constraints is null) return others is null && constraints is null;
        if (others.Count != constraints.Count) return false;
        foreach (var (label, value) in others)
            if (!constraints.TryGetValue(label, out var own) || own != value) return false;
        return true;
    }
}
