using Hosting.Regions;
using Hosting.Simulation.Tests.Checks;
using Hosting.Simulation.Tests.Faults;
using Hosting.Simulation.Tests.Time;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>One region: its control plane's parts, its servers, its clock, and those who watch that all is well.</summary>
internal sealed class Region
{
    public const string Name = "eu-1";

    private readonly Dictionary<string, ServerPart> _servers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Server, string Vm), VmPart> _vms = [];
    private readonly Dictionary<string, ReplicaSetPart> _apps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Agent> _agents = new(StringComparer.Ordinal);
    private long _ids;

    /// <param name="time">The clock.</param>
    /// <param name="random">Of its own.</param>
    /// <param name="policy">By which it decides.</param>
    /// <param name="watched">By which it is judged; another one only where a rule is to be broken.</param>
    public Region(VirtualTime time, Random random, RegionPolicy policy, RegionPolicy watched)
    {
        (Time, Random, Policy) = (time, random, policy);
        Network = new Network(time, random, Run);
        Watch = new Watch(this, watched);
        Users = new Users(this);
        Database = new Database(Watch.Committed, Watch.Ended);
        Placement = new PlacementPart(this);
    }

    public VirtualTime Time { get; }

    public DateTimeOffset Now => Time.Now;

    public Random Random { get; }

    public RegionPolicy Policy { get; }

    public Users Users { get; }

    public Network Network { get; }

    public Database Database { get; }

    public Watch Watch { get; }

    public PlacementPart Placement { get; }

    public IReadOnlyCollection<Agent> Agents => _agents.Values;

    public IReadOnlyCollection<ServerPart> Servers => _servers.Values;

    public IReadOnlyCollection<VmPart> Vms => _vms.Values;

    public IReadOnlyCollection<ReplicaSetPart> Apps => _apps.Values;

    /// <summary>Share of the commits whose answer is lost, whatever became of them.</summary>
    public double CommitLoss { get; set; }

    public Agent Agent(string server) => _agents[server];

    public ServerPart Server(string server) => _servers[server];

    public VmPart Vm(string server, string vm) => _vms[(server, vm)];

    public ReplicaSetPart App(string app)
    {
        if (!_apps.TryGetValue(app, out var part))
        {
            _apps.Add(app, part = new ReplicaSetPart(this, app));
            part.Activate();
        }
        return part;
    }

    public void Add(Machine machine, Random random)
    {
        Watch.Books.Add(machine);
        _agents.Add(machine.Name, new Agent(this, machine, random));
        _servers.Add(machine.Name, new ServerPart(this, machine.Name));
        foreach (var engine in machine.Engines) _vms.Add((machine.Name, engine.Name), new VmPart(this, machine.Name, engine.Name));
    }

    /// <summary>Ids as containers have them, the same ones for the same seed.</summary>
    public string NextId(string app) => $"{app}-{++_ids:x6}";

    public bool Chance(double share) => share > 0 && Random.NextDouble() < share;

    /// <summary>How long a write to the database takes.</summary>
    public Pause Write() => Time.Wait(TimeSpan.FromMilliseconds(1 + 8 * Random.NextDouble()));

    /// <summary>Begins something nobody waits for. A lost call ends it; anything else that fails is a bug and ends the simulation.</summary>
    public void Run(Func<Task> work) => _ = Guarded(work);

    private async Task Guarded(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (CallFailedException)
        {
            // Whoever began it repeats it.
        }
        catch (Exception bug)
        {
            Watch.Fail("no part throws", bug.ToString());
        }
    }
}
