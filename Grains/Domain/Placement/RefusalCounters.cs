using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Counts for refusals. A demand that is refused for the first time is counted over all VMs. One that is refused again
/// soon is followed change by change, for as long as that was cheaper than counting anew: until more changes went by than
/// there are servers. So demands that never come back cost the changes nothing.
/// </summary>
internal sealed class RefusalCounters(VmRooms rooms, LabelIndex labels)
{
    /// <summary>Most demands followed, and as many that were refused last are remembered.</summary>
    private const int Max = 32;

    private readonly int[] _closed = new int[PlacementRules.Count];
    private readonly List<ExclusionCounts> _followed = [];
    private readonly Demand[] _lately = new Demand[Max];
    private int _refusals;

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

    public PlacementRefusal Refuse(string region, in PlacementQuery query, IReadOnlyList<ServerEntry> servers)
    {
        var counts = Followed(query) ?? Count(query, servers);
        return counts.Refuse(region, Vms, _closed, query.Avoid);
    }

    private ExclusionCounts? Followed(in PlacementQuery query)
    {
        foreach (var counts in _followed)
            if (counts.IsFor(query)) return counts;
        return null;
    }

    private ExclusionCounts Count(in PlacementQuery query, IReadOnlyList<ServerEntry> servers)
    {
        var excluded = new int[PlacementRules.Count];
        rooms.Count(query.Demand, query.Constraints is null ? null : labels.WithAll(query.Constraints, servers), excluded);
        var counts = new ExclusionCounts(query.Demand, query.Constraints, excluded);
        if (_lately.Contains(query.Demand)) Follow(counts);
        _lately[_refusals++ & (Max - 1)] = query.Demand;
        return counts;
    }

    private void Follow(ExclusionCounts counts)
    {
        if (_followed.Count == Max) _followed.Remove(_followed.MaxBy(followed => followed.IdleChanges)!);
        _followed.Add(counts);
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
