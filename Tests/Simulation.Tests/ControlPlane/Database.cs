using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>What is durable: the region's records. Every change is a transaction, and only the newest placement may insert and end.</summary>
/// <param name="inserted">Is told of every record that becomes durable.</param>
/// <param name="ended">Is told of every record that ends.</param>
internal sealed class Database(Action<ContainerRecord> inserted, Action<ContainerRecord> ended)
{
    private readonly Dictionary<string, ContainerRecord> _live = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _byServer = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _byApp = new(StringComparer.Ordinal);

    /// <summary>Epoch of the newest placement.</summary>
    public long Epoch { get; private set; }

    /// <summary>Whether older placements are refused; false only to see what happens then.</summary>
    public bool IsFenced { get; set; } = true;

    public Dictionary<string, ServerRecord> Servers { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, List<VmRecord>> Vms { get; } = new(StringComparer.Ordinal);

    /// <summary>Records that are not over.</summary>
    public IReadOnlyCollection<ContainerRecord> Live => _live.Values;

    public long RaiseEpoch() => ++Epoch;

    public ContainerRecord? Find(string id) => _live.GetValueOrDefault(id);

    public List<ContainerRecord> OnServer(string server) => [.. Ids(_byServer, server).Select(id => _live[id])];

    public List<ContainerRecord> OfApp(string app) => [.. Ids(_byApp, app).Select(id => _live[id])];

    public bool Insert(long epoch, IReadOnlyList<ContainerRecord> placed)
    {
        if (IsRefused(epoch)) return false;
        foreach (var record in placed)
        {
            _live.Add(record.Id, record);
            Ids(_byServer, record.Server).Add(record.Id);
            Ids(_byApp, record.App).Add(record.Id);
            inserted(record);
        }
        return true;
    }

    public bool End(long epoch, IEnumerable<string> ids)
    {
        if (IsRefused(epoch)) return false;
        foreach (var id in ids)
        {
            if (!_live.Remove(id, out var record)) continue;
            Ids(_byServer, record.Server).Remove(id);
            Ids(_byApp, record.App).Remove(id);
            ended(record);
        }
        return true;
    }

    /// <summary>A record that is over, or further on, stays as it is.</summary>
    public void Update(IEnumerable<ContainerRecord> records)
    {
        foreach (var record in records)
            if (_live.TryGetValue(record.Id, out var known) && known.State <= record.State) _live[record.Id] = record;
    }

    /// <summary>An agent's word about its server; the operator's policy for it stays.</summary>
    public ServerRecord Upsert(ServerRecord said, IReadOnlyList<VmRecord> vms)
    {
        var known = Servers.GetValueOrDefault(said.Name, said);
        var stored = Vms.GetValueOrDefault(said.Name) ?? [];
        Vms[said.Name] = [.. vms.Select(vm => stored.FirstOrDefault(s => s.Name == vm.Name) is { } before
            ? vm with { Cordoned = before.Cordoned, Draining = before.Draining }
            : vm)];
        return Servers[said.Name] = said with { Cordoned = known.Cordoned, Draining = known.Draining, Thresholds = known.Thresholds };
    }

    private bool IsRefused(long epoch) => IsFenced && epoch != Epoch;

    private static HashSet<string> Ids(Dictionary<string, HashSet<string>> index, string key) =>
        index.TryGetValue(key, out var ids) ? ids : index[key] = new HashSet<string>(StringComparer.Ordinal);
}
