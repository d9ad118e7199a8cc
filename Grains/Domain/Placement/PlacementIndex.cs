using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Finds the best VM for a demand without looking at all of them: the demand's class gives the servers that match,
/// bitmaps of labels, replicas and scores narrow them down to the best one. The cost does not depend on how full the
/// region is, and on its size only by a few hundred words a decision.
/// Every change of a server or its VMs happens between <see cref="Withdraw"/> and <see cref="Enter"/>.
/// </summary>
internal sealed class PlacementIndex
{
    /// <summary>Servers tried for a demand without a class of its own before it gets one.</summary>
    private const int Tries = 8;

    private readonly List<ServerEntry> _servers = [];
    private readonly VmRooms _rooms = new();
    private readonly LabelIndex _labels = new();
    private readonly ScoreIndex _scores = new();
    private readonly DemandClasses _classes;
    private readonly RefusalCounters _refusals;
    private readonly Candidates _candidates = new();
    private readonly List<ServerEntry> _tried = new(Tries);
    private int _words;

    public PlacementIndex()
    {
        _classes = new DemandClasses(_rooms);
        _refusals = new RefusalCounters(_rooms, _labels);
    }

    public IReadOnlyList<ServerEntry> Servers => _servers;

    public int Vms => _refusals.Vms;

    public void Add(ServerEntry server)
    {
        _servers.Add(server);
        _words = Candidates.WordsFor(_servers.Count);
        _classes.Reserve(_words);
        _scores.Reserve(_words);
        _labels.Update(server);
    }

    public void Withdraw(ServerEntry server) => _refusals.Withdraw(server, _servers.Count);

    public void Enter(ServerEntry server)
    {
        _refusals.Enter(server);
        _rooms.Update(server);
        _classes.Update(server);
        _scores.Update(server, PlacementScore.Of(server), _classes.Roomy);
    }

    /// <summary>The labels of a server may have changed.</summary>
    public void Relabel(ServerEntry server) => _labels.Update(server);

    /// <summary>The best VM; null when none matches.</summary>
    public VmEntry? Find(in PlacementQuery query)
    {
        if (!_classes.IsFull && !_classes.Has(query.Demand)) _classes.Add(query.Demand);
        _tried.Clear();
        while (Best(query) is { } server)
        {
            if (BestFit(server, query) is { } vm) return vm;
            _tried.Add(server);
            if (_tried.Count == Tries) _classes.Add(query.Demand);
        }
        return null;
    }

    public PlacementRefusal Refuse(string region, in PlacementQuery query) => _refusals.Refuse(region, query, _servers);

    private ServerEntry? Best(in PlacementQuery query)
    {
        if (_classes.Covering(query.Demand) is not { } members) return null;
        _candidates.Begin(members, _words);
        Restrict(query);
        if (!_candidates.Any()) return null;
        if (query.Spread) query.App.KeepFewest(_candidates, _words);
        return _servers[_scores.Best(_candidates)];
    }

    private void Restrict(in PlacementQuery query)
    {
        if (query.Constraints is not null)
            foreach (var (label, value) in query.Constraints) _candidates.Keep(_labels.With(label, value, _servers));
        foreach (var server in query.Avoid) _candidates.Remove(server.Id);
        foreach (var server in _tried) _candidates.Remove(server.Id);
    }

    private static VmEntry? BestFit(ServerEntry server, in PlacementQuery query)
    {
        if (query.Spread) server.CountReplicas(query.App);
        VmEntry? best = null;
        foreach (var vm in server.Vms)
            if (vm.Fits(query.Demand) && (best is null || PlacementScore.Precedes(vm, best, query.Spread))) best = vm;
        return best;
    }
}
