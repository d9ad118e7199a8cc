using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// The matching of one region: what its servers and VMs offer, what is promised of them, and where the next replica
/// goes. A pure state machine: the time comes with the calls and never runs backwards inside. Not thread-safe.
/// Every decision is reserved at once; <see cref="Release"/> takes it back when it could not be made durable.
/// </summary>
public sealed partial class PlacementLedger
{
    /// <summary>A server not heard from for this long takes nothing, unless told otherwise.</summary>
    public static readonly TimeSpan DefaultStaleAfter = TimeSpan.FromSeconds(3);

    /// <summary>Most replicas one request may ask for.</summary>
    public const int MaxReplicasPerRequest = 1000;

    private static readonly HashSet<ServerEntry> NoServers = [];

    private readonly string _region;
    private readonly TimeSpan _staleAfter;
    private readonly PlacementIndex _index = new();
    private readonly FreshnessQueue _heard = new();
    private readonly List<string> _becameStale = [];
    private readonly Dictionary<string, ServerEntry> _servers = [];
    private readonly Dictionary<string, ContainerEntry> _containers = [];
    private readonly Dictionary<string, AppReplicas> _apps = [];
    private Thresholds _defaults;
    private DateTimeOffset _now;

    /// <summary>An empty ledger.</summary>
    /// <param name="region">Name of the region.</param>
    /// <param name="defaults">Thresholds of servers without their own.</param>
    /// <param name="staleAfter">A server not heard from for this long takes nothing; over zero, 3 s when null.</param>
    public PlacementLedger(string region, Thresholds defaults, TimeSpan? staleAfter = null)
    {
        _region = region;
        _defaults = defaults;
        _staleAfter = staleAfter ?? DefaultStaleAfter;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(_staleAfter, TimeSpan.Zero, nameof(staleAfter));
    }

    /// <summary>VMs in the region, of servers offline too.</summary>
    public int Vms => _index.Vms;

    /// <summary>Containers that are not released.</summary>
    public int Containers => _containers.Count;

    /// <summary>
    /// Decides and reserves up to <see cref="PlacementRequest.Count"/> replicas; with
    /// <see cref="PlacementRequest.AllOrNothing"/> nothing stays reserved unless all fit.
    /// </summary>
    /// <param name="request">Demand over 0 in CPU and memory, and 1 to 1,000 replicas.</param>
    /// <param name="idOf">Id of the n-th replica, from 0; called for reserved ones only.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ArgumentOutOfRangeException">Demand or count out of range.</exception>
    /// <exception cref="InvalidOperationException">An id is in use.</exception>
    public PlacementPlan Place(PlacementRequest request, Func<int, string> idOf, DateTimeOffset now)
    {
        Advance(now);
        var query = Resolve(request);
        var placed = new ContainerRecord[request.Count];
        for (var replica = 0; replica < placed.Length; replica++)
        {
            if (_index.Find(query) is not { } vm) return Refuse(request, query, placed[..replica]);
            placed[replica] = Reserve(Record(request, vm, idOf(replica)), vm, query.App);
        }
        return new PlacementPlan(placed, null);
    }

    /// <summary>Frees what a container takes, or undoes its reservation.</summary>
    /// <returns>False when there is no such container.</returns>
    public bool Release(string container)
    {
        if (!_containers.Remove(container, out var entry)) return false;
        var server = entry.Vm.Server;
        _index.Withdraw(server);
        entry.Vm.Free(entry.Record.Demand);
        SetInFlight(entry, false);
        Unlink(entry);
        if (entry.Vm is { Retired: true, Containers: 0 }) server.Vms = [.. server.Vms.Where(vm => vm != entry.Vm)];
        _index.Enter(server);
        entry.App.Remove(server.Id);
        if (entry.App.Total == 0) _apps.Remove(entry.App.Name);
        return true;
    }

    /// <summary>A container as it was placed or restored; null when it was released or never known.</summary>
    public ContainerRecord? Find(string container) => _containers.GetValueOrDefault(container)?.Record;

    /// <summary>Containers on a server, as they were placed or restored; none when the server is not known.</summary>
    public IReadOnlyCollection<ContainerRecord> ContainersOf(string server)
    {
        if (!_servers.TryGetValue(server, out var entry)) return [];
        var records = new List<ContainerRecord>(entry.Containers);
        for (var container = entry.FirstContainer; container is not null; container = container.Next) records.Add(container.Record);
        return records;
    }

    private PlacementPlan Refuse(PlacementRequest request, PlacementQuery query, ContainerRecord[] placed)
    {
        var refusal = _index.Refuse(_region, query);
        if (request.AllOrNothing) foreach (var record in placed) Release(record.Id);
        return new PlacementPlan(request.AllOrNothing ? [] : placed, PlacementRefusals.After(placed.Length, request, refusal));
    }

    private ContainerRecord Record(PlacementRequest request, VmEntry vm, string id) => new()
    {
        Id = id,
        App = request.App,
        Revision = request.Revision,
        Region = _region,
        Server = vm.Server.Record.Name,
        Vm = vm.Record.Name,
        Demand = request.Demand,
        State = ContainerState.Placed,
        CreatedAt = _now,
    };

    private ContainerRecord Reserve(ContainerRecord record, VmEntry vm, AppReplicas app)
    {
        var entry = new ContainerEntry(record, vm, app) { StartedAt = record.StartedAt };
        if (!_containers.TryAdd(record.Id, entry)) throw new InvalidOperationException($"container {record.Id} is in the ledger already");
        // A closed server is in no set of the index, whatever is promised there; it enters them when it opens.
        var open = vm.Server.ClosedBy is null;
        if (open) _index.Withdraw(vm.Server);
        vm.Take(record.Demand);
        SetInFlight(entry, true);
        Link(entry);
        if (open) _index.Enter(vm.Server);
        app.Add(vm.Server.Id);
        _apps.TryAdd(app.Name, app);
        return record;
    }

    private PlacementQuery Resolve(PlacementRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Demand.CpuMillis, "CpuMillis");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Demand.MemoryMiB, "MemoryMiB");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(request.Count, "Count");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.Count, MaxReplicasPerRequest, "Count");
        var constraints = request.Constraints is { Count: > 0 } labels ? labels : null;
        return new PlacementQuery(request.Demand, App(request.App), request.Spread == Spread.Server, constraints, Avoided(request.Avoid));
    }

    private HashSet<ServerEntry> Avoided(IReadOnlyList<string>? names)
    {
        if (names is null || names.Count == 0) return NoServers;
        var avoided = new HashSet<ServerEntry>(names.Count);
        foreach (var name in names)
            if (_servers.TryGetValue(name, out var server)) avoided.Add(server);
        return avoided;
    }

    private AppReplicas App(string name) => _apps.TryGetValue(name, out var app) ? app : new AppReplicas(name);

    private static void SetInFlight(ContainerEntry entry, bool inFlight)
    {
        var server = entry.Vm.Server;
        if (entry.InFlight) server.RemoveInFlight(entry.Record.Demand);
        if (entry.InFlight && entry.StartedAt is not null) server.AwaitingSample.Remove(entry);
        entry.InFlight = inFlight;
        if (!inFlight) return;
        server.AddInFlight(entry.Record.Demand);
        if (entry.StartedAt is not null) server.AwaitingSample.Add(entry);
    }

    private static void Link(ContainerEntry entry)
    {
        var server = entry.Vm.Server;
        entry.Next = server.FirstContainer;
        if (entry.Next is not null) entry.Next.Previous = entry;
        server.FirstContainer = entry;
        server.Containers++;
    }

    private static void Unlink(ContainerEntry entry)
    {
        var server = entry.Vm.Server;
        if (entry.Previous is null) server.FirstContainer = entry.Next;
        else entry.Previous.Next = entry.Next;
        if (entry.Next is not null) entry.Next.Previous = entry.Previous;
        server.Containers--;
    }
}
