using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Counts for refusals. Demands that are refused again and again are followed change by change; a demand is followed
/// for as long as that was cheaper than counting anew: until more changes went by than there are servers.
/// </summary>
internal sealed class RefusalCounters(VmRooms rooms, LabelIndex labels)
{
    /// <summary>Most demands followed.</summary>
    private const int Max = 32;

    private readonly int[] _closed = new int[PlacementRules.Count];
    private readonly List<ExclusionCounts> _followed = [];

    /// <summary>VMs in the region.</summary>
    public int Vms { get; private set; }

    /// <summary>Adds a server as it is.</summary>
    public void Enter(ServerEntry server)
    {
        CountClosed(server, 1);
        foreach (var counts in _followed) counts.Count(server, 1);
    }

    /// <summary>Takes a server away before it changes.</summary>
    /// <param name="server">The server.</param>
    /// <param name="patience">Changes without being asked after which a demand is followed no longer.</param>
    public void Withdraw(ServerEntry server, int patience)
    {
        CountClosed(server, -1);
        for (var i = _followed.Count - 1; i >= 0; i--)
        {
            if (_followed[i].IdleChanges > patience) _followed.RemoveAt(i);
            else _followed[i].Count(server, -1);
        }
    }

    public PlacementRefusal Refuse(string region, in PlacementQuery query, IReadOnlyList<ServerEntry> servers) =>
        (Followed(query) ?? Follow(query, servers)).Refuse(region, Vms, _closed, query.Avoid);

    private ExclusionCounts? Followed(in PlacementQuery query)
    {
        foreach (var counts in _followed)
            if (counts.IsFor(query)) return counts;
        return null;
    }

    private ExclusionCounts Follow(in PlacementQuery query, IReadOnlyList<ServerEntry> servers)
    {
        if (_followed.Count == Max) _followed.Remove(_followed.MaxBy(counts => counts.IdleChanges)!);
        var counts = new int[PlacementRules.Count];
        rooms.Count(query.Demand, query.Constraints is null ? null : labels.WithAll(query.Constraints, servers), counts);
        var followed = new ExclusionCounts(query.Demand, query.Constraints, counts);
        _followed.Add(followed);
        return followed;
    }

    private void CountClosed(ServerEntry server, int sign)
    {
        Vms += sign * server.Vms.Length;
        if (server.ClosedBy is { } rule) _closed[(int)rule] += sign * server.Vms.Length;
        else
            foreach (var vm in server.Vms)
                if (vm.ClosedBy is { } own) _closed[(int)own] += sign;
    }
}
