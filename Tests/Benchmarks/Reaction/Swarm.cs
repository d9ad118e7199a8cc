using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Hosting.Benchmarks.Reaction;

/// <summary>
/// Docker Swarm on two nested VMs of the same pool: engine, limits, control groups and network are those of the platform's own
/// containers. Tasks publish a port of their node each, because a routing mesh needs IPVS, which not every kernel has. The agent leaves containers alone that are not its own, and takes everything down with the VMs.
/// </summary>
internal sealed class Swarm(LocalVm manager, LocalVm worker) : IDisposable
{
    private const int ManagerPort = 2377;
    private const string Service = "reaction";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly LocalVm[] _nodes = [manager, worker];
    private readonly (string From, string To)[] _ways = [(manager.Address, worker.Address), (worker.Address, manager.Address)];

    /// <summary>Its nodes.</summary>
    public IReadOnlyList<LocalVm> Nodes => _nodes;

    /// <summary>Makes the two a cluster. At the beginning only the manager takes tasks.</summary>
    public static async Task<Swarm> Start(LocalVm manager, LocalVm worker, string archive)
    {
        var swarm = new Swarm(manager, worker);
        swarm.Connect("-I");
        try
        {
            await swarm.Join(archive);
            return swarm;
        }
        catch
        {
            swarm.Dispose();
            throw;
        }
    }

    /// <summary>Creates the service, and waits until all of its replicas run.</summary>
    /// <param name="replicas">Their number.</param>
    /// <param name="restartDelay">Wait before a restart; null leaves Swarm's default.</param>
    public async Task Create(int replicas, TimeSpan? restartDelay = null)
    {
        var template = new JsonObject
        {
            ["ContainerSpec"] = new JsonObject { ["Image"] = "hosting/hello:1" },
            ["Resources"] = new JsonObject { ["Limits"] = new JsonObject { ["MemoryBytes"] = 16 << 20 } },
        };
        if (restartDelay is { } delay)
            template["RestartPolicy"] = new JsonObject { ["Condition"] = "any", ["Delay"] = delay.Ticks * TimeSpan.NanosecondsPerTick };
        await manager.Engine.Post("services/create", new JsonObject
        {
            ["Name"] = Service,
            ["TaskTemplate"] = template,
            ["Mode"] = new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = replicas } },
            ["UpdateConfig"] = new JsonObject { ["Parallelism"] = 1, ["Order"] = "start-first" },
            ["EndpointSpec"] = new JsonObject
            {
                ["Mode"] = "dnsrr",
                ["Ports"] = new JsonArray(new JsonObject { ["Protocol"] = "tcp", ["TargetPort"] = 8080, ["PublishMode"] = "host" }),
            },
        });
        await BenchStack.Until("starting Swarm's service", async () => (await Containers()).Count == replicas, LookEvery);
    }

    /// <summary>Removes the service, and waits until nothing of it is left.</summary>
    public async Task Remove()
    {
        await manager.Engine.Delete($"services/{Service}");
        await BenchStack.Until("removing Swarm's service", async () => (await Containers()).Count == 0, LookEvery);
    }

    /// <summary>Where the service answers on a node: its tasks' published ports.</summary>
    public static async Task<IReadOnlyList<Uri>> Endpoints(LocalVm node) =>
        [.. (await List(node)).SelectMany(container => container!["Ports"]!.AsArray()).Select(port => port!["PublicPort"]).OfType<JsonNode>()
            .Select(port => (int)port).Distinct().Select(port => new Uri($"http://{node.Address}:{port}/"))];

    /// <summary>What an update of the service to itself by force is: every task is replaced, start-first, one at a time.</summary>
    public async Task<Func<Task>> PrepareUpdate()
    {
        var service = await manager.Engine.Get($"services/{Service}");
        var spec = service["Spec"]!.DeepClone();
        spec["TaskTemplate"]!["ForceUpdate"] = 1;
        return () => manager.Engine.Post($"services/{Service}/update?version={service["Version"]!["Index"]}", spec);
    }

    /// <summary>Opens the node that has no tasks, and draining the other is what remains to be done.</summary>
    public async Task<Func<Task>> PrepareDrain()
    {
        var drained = (await Members()).Single(node => (string)node["Spec"]!["Availability"]! == "drain");
        var role = (string)drained["Spec"]!["Role"]!;
        await Make(role, "active");
        return () => Make(role == "worker" ? "manager" : "worker", "drain");
    }

    /// <summary>kill -9 of the only container.</summary>
    public async Task Kill()
    {
        var (node, id) = (await Containers()).Single();
        await node.KillContainer(id);
    }

    public void Dispose()
    {
        Connect("-D");
        foreach (var node in _nodes)
            node.Dispose();
    }

    /// <summary>The agent keeps VMs from each other, and Swarm's nodes have to meet.</summary>
    private void Connect(string verb)
    {
        foreach (var (from, to) in _ways)
        {
            using var rule = Process.Start("iptables", ["-w", verb, "FORWARD", "-s", from, "-d", to, "-j", "ACCEPT"]);
            rule.WaitForExit();
        }
    }

    private async Task Join(string archive)
    {
        await Task.WhenAll(_nodes.Select(node => node.Engine.Load(archive)));
        await manager.Engine.Post("swarm/init", Joining(manager));
        var token = (string)(await manager.Engine.Get("swarm"))["JoinTokens"]!["Worker"]!;
        var joining = Joining(worker);
        joining["JoinToken"] = token;
        joining["RemoteAddrs"] = new JsonArray($"{manager.Address}:{ManagerPort}");
        try
        {
            await worker.Engine.Post("swarm/join", joining);
        }
        catch (PreconditionException slow) when (slow.Message.Contains("will continue in the background", StringComparison.Ordinal))
        {
            // An engine that was just started on a busy machine: it goes on, and its manager says when it is there.
        }
        await BenchStack.Until("joining Swarm's worker", async () => (await Members()).Count == 2, LookEvery);
        await Make("worker", "drain");
    }

    private static JsonObject Joining(LocalVm node) => new()
    {
        ["ListenAddr"] = $"{node.Address}:{ManagerPort}", ["AdvertiseAddr"] = node.Address,
    };

    private async Task Make(string role, string availability)
    {
        var node = (await Members()).Single(node => (string)node["Spec"]!["Role"]! == role);
        var spec = node["Spec"]!.DeepClone();
        spec["Availability"] = availability;
        await manager.Engine.Post($"nodes/{node["ID"]}/update?version={node["Version"]!["Index"]}", spec);
    }

    private async Task<List<JsonNode>> Members() => [.. (await manager.Engine.Get("nodes")).AsArray().Select(node => node!)];

    private async Task<List<(LocalVm Node, string Id)>> Containers()
    {
        var found = new List<(LocalVm, string)>();
        foreach (var node in _nodes)
        {
            found.AddRange((await List(node)).Select(container => (node, (string)container!["Id"]!)));
        }
        return found;
    }

    private static async Task<JsonArray> List(LocalVm node) =>
        (await node.Engine.List("containers/json", "label", $"com.docker.swarm.service.name={Service}")).AsArray();
}
