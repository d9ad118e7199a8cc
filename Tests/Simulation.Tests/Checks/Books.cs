using Hosting.Placement;
using Hosting.Servers;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// Plain books about a region, kept beside the code that decides and never read by it: what is placed where, what every server said
/// last, what operators closed.
/// </summary>
internal sealed class Books
{
    private readonly Dictionary<string, ServerBook> _servers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    public ServerBook this[string server] => _servers[server];

    public IEnumerable<ServerBook> Servers => _servers.Values;

    public void Add(Machine machine) => _servers.Add(machine.Name, new ServerBook(machine));

    public void Placed(ContainerRecord record)
    {
        _servers[record.Server].Containers.Add(record.Id, record);
        _pending.Add(record.Id);
    }

    /// <summary>Whether it is decided by the newest placement, and not durable yet.</summary>
    public bool IsPending(string container) => _pending.Contains(container);

    public void Committed(ContainerRecord record)
    {
        _pending.Remove(record.Id);
        _servers[record.Server].Containers.TryAdd(record.Id, record);
    }

    public void Ended(ContainerRecord record) => _servers[record.Server].Containers.Remove(record.Id);

    /// <summary>What was decided and is not durable never will be.</summary>
    public void ForgetPending()
    {
        foreach (var server in _servers.Values)
            foreach (var id in server.Containers.Keys.Where(_pending.Contains).ToList()) server.Containers.Remove(id);
        _pending.Clear();
    }
}

/// <summary>The page of one server.</summary>
internal sealed class ServerBook(Machine machine)
{
    public Machine Machine { get; } = machine;

    public Dictionary<string, ContainerRecord> Containers { get; } = new(StringComparer.Ordinal);

    /// <summary>The last report that the matching took.</summary>
    public UtilizationReport? Last { get; set; }

    public DateTimeOffset HeardAt { get; set; }

    /// <summary>An operator was told that it, or the VM of that name, is closed, and has not asked to open it since.</summary>
    public HashSet<string> Closed { get; } = new(StringComparer.Ordinal);
}
