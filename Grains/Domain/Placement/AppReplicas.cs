namespace Hosting.Domain.Placement;

/// <summary>
/// Replicas of one app on each server. Most apps are on few servers: those are listed. An app on more than
/// <see cref="FewServers"/> holds its counts as <see cref="BitSlices"/>.
/// </summary>
internal sealed class AppReplicas(string name)
{
    private const int FewServers = 32;

    private int[] _servers = new int[2];
    private int[] _counts = new int[2];
    private int _listed;
    private BitSlices? _many;

    public string Name { get; } = name;

    public int Total { get; private set; }

    public int On(int server) => _many is not null ? _many.Get(server) : IndexOf(server) is var i and >= 0 ? _counts[i] : 0;

    public void Add(int server)
    {
        Total++;
        if (_many is null && IndexOf(server) < 0 && _listed == FewServers) Slice();
        if (_many is not null) _many.Set(server, _many.Get(server) + 1);
        else if (IndexOf(server) is var i and >= 0) _counts[i]++;
        else List(server);
    }

    public void Remove(int server)
    {
        Total--;
        if (_many is not null) _many.Set(server, _many.Get(server) - 1);
        else if (IndexOf(server) is var i && --_counts[i] == 0) Unlist(i);
    }

    /// <summary>Leaves the candidates with the fewest replicas.</summary>
    /// <param name="candidates">Any servers.</param>
    /// <param name="words">Words of a bitmap of all servers.</param>
    public void KeepFewest(Candidates candidates, int words)
    {
        if (_many is not null) _many.KeepLowest(candidates, words);
        else if (_listed > 0) KeepFewestListed(candidates);
    }

    private void KeepFewestListed(Candidates candidates)
    {
        var (removed, fewest) = (0u, int.MaxValue);
        for (var i = 0; i < _listed; i++)
        {
            if (!candidates.Contains(_servers[i])) continue;
            candidates.Remove(_servers[i]);
            removed |= 1u << i;
            fewest = Math.Min(fewest, _counts[i]);
        }
        if (candidates.Any()) return;
        for (var i = 0; i < _listed; i++)
            if ((removed & (1u << i)) != 0 && _counts[i] == fewest) candidates.Restore(_servers[i]);
    }

    private int IndexOf(int server) => _servers.AsSpan(0, _listed).IndexOf(server);

    private void List(int server)
    {
        if (_listed == _servers.Length)
        {
            Array.Resize(ref _servers, 2 * _listed);
            Array.Resize(ref _counts, 2 * _listed);
        }
        (_servers[_listed], _counts[_listed]) = (server, 1);
        _listed++;
    }

    private void Unlist(int i)
    {
        _listed--;
        (_servers[i], _counts[i]) = (_servers[_listed], _counts[_listed]);
    }

    private void Slice()
    {
        _many = new BitSlices();
        for (var i = 0; i < _listed; i++) _many.Set(_servers[i], _counts[i]);
        (_servers, _counts, _listed) = ([], [], 0);
    }
}
