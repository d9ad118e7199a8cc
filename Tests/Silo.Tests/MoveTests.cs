using Hosting.Apps;
using Hosting.Protocol;
using Hosting.Support;
using Orleans.Core.Internal;

namespace Hosting.Silo.Tests;

/// <summary>Containers that have to leave their server, and what is in flight while they drain.</summary>
public class MoveTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private const string Pressure = "CPU 0.87 over 0.80 for 5 s";

    private static object Spec(string app, int replicas = 1, int grace = 10, string image = "shop:1") => new
    {
        image,
        port = 80,
        replicas,
        cpuMillis = 10,
        memoryMiB = 16,
        regions = new[] { SiloUnderTest.Region },
        constraints = new { only = app },
        stopGraceSeconds = grace,
    };

    [Fact]
    public async Task A_move_replaces_first_and_never_goes_back_within_the_cool_down()
    {
        await using var one = await Agent("move", 1);
        await using var two = await Agent("move", 2);
        var before = await Deployed("move", Spec("move"));
        var target = before.Server == "move-1" ? two : one;
        Container? held = null;
        target.Start = c => held = Starting(c);
        await Move("move", new ContainerMove(before.Id, MoveCause.Pressure, Pressure, DateTimeOffset.UtcNow.AddMinutes(5)));
        await SiloUnderTest.Eventually(() => Task.FromResult(held is not null), "a replacement was placed on the other server");
        Assert.Equal([before.Id], (await Table("move")).Endpoints.Select(e => e.Container));

        target.Start = SimulatedAgent.Healthy;
        target.Report(new Container(held!) { State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9" });
        var after = await Only("move", c => c.Id != before.Id);
        Assert.NotEqual(before.Server, after.Server);
        await SiloUnderTest.Eventually(async () => (await Events("move")).Contains(
            $"moved {before.Id} from {before.Server} to {after.Server} as {after.Id}: {Pressure}"), "the move is told with its numbers");
        await silo.Until("move", s => (string?)s["phase"] == "Running");

        // Back is not possible: its first server cools down, in another activation too. So it stays, and says why.
        await silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/move").Cast<IGrainManagementExtension>().DeactivateOnIdle();
        await Move("move", new ContainerMove(after.Id, MoveCause.Pressure, Pressure, DateTimeOffset.UtcNow.AddMinutes(5)));
        var stuck = await silo.Until("move", s => (string?)s["phase"] == "Degraded");
        Assert.StartsWith($"1 of 1 replicas are healthy; {after.Id} has to leave its server ({Pressure}) and stays, because nothing else takes it: no VM of", (string)stuck["message"]!);
        await silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/move").Stay([after.Id]);
        await silo.Until("move", s => (string?)s["phase"] == "Running");
        Assert.Equal(after, await Only("move", _ => true));
    }

    [Fact]
    public async Task A_drained_VM_gives_its_containers_to_its_neighbour_when_there_is_no_other_server()
    {
        await using var agent = await Agent("near", 1);
        var before = await Deployed("near", Spec("near"));
        await Move("near", new ContainerMove(before.Id, MoveCause.Drain, "its VM is drained", null));
        var after = await Only("near", c => c.Id != before.Id);
        Assert.Equal(before.Server, after.Server);
    }

    [Fact]
    public async Task What_is_lost_keeps_its_route_until_it_is_replaced_and_is_stopped_when_it_comes_back()
    {
        var lost = await Agent("lost", 1);
        var before = await Deployed("lost", Spec("lost"));
        await lost.DisposeAsync();
        await Move("lost", new ContainerMove(before.Id, MoveCause.Lost, "not heard from for 12 s", null));
        await silo.Until("lost", s => (string?)s["phase"] == "Unplaceable");
        Assert.Equal([before.Id], (await Table("lost")).Endpoints.Select(e => e.Container));

        await using var other = await Agent("lost", 2);
        var after = await Only("lost", c => c.Id != before.Id);
        Assert.Equal("lost-2", after.Server);
        var ended = (await silo.Get("/v1/apps/lost/containers?all=true")).AsArray().Single(c => (string?)c!["id"] == before.Id)!;
        Assert.Equal("Failed", (string)ended["state"]!);
        // The server's own watch may have noticed by then, and says it in its words.
        Assert.Contains("heard from for 1", (string)ended["reason"]!, StringComparison.Ordinal);
        await silo.Until("lost", s => (string?)s["phase"] == "Running");

        await using var back = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "lost-1", change: h =>
        {
            h.Labels.Add("only", "lost");
            h.Containers.Add(new Container { Id = before.Id, Vm = before.Vm, State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9" });
        });
        await SiloUnderTest.Eventually(() => Task.FromResult(back.Running.Count == 0), "what was replaced is not run any more");
    }

    [Fact]
    public async Task A_container_is_stopped_when_the_last_request_in_flight_is_over()
    {
        await using var agent = await Agent("quiet", 1);
        var gateway = new BusyGateway { Requests = 1 };
        var before = await Deployed("quiet", Spec("quiet", grace: 3_600));
        await gateway.Watch(silo, "quiet");
        await silo.Put("quiet", Spec("quiet", grace: 3_600, image: "shop:2"));
        await SiloUnderTest.Eventually(() => Task.FromResult(gateway.Asked.Contains(before.Id)), "the gateway was asked");
        Assert.Equal("Draining", (await Containers("quiet")).Single(c => c.Id == before.Id).State);
        Assert.DoesNotContain(before.Id, gateway.Routed);
        Assert.Contains(before.Id, agent.Running);

        gateway.Requests = 0;
        await SiloUnderTest.Eventually(() => Task.FromResult(!agent.Running.Contains(before.Id)), "it is stopped");
    }

    [Fact]
    public async Task A_container_is_stopped_when_its_grace_has_passed_whatever_is_in_flight()
    {
        await using var agent = await Agent("grace", 1);
        var gateway = new BusyGateway { Requests = 1 };
        var before = await Deployed("grace", Spec("grace", grace: 1));
        await gateway.Watch(silo, "grace");
        await silo.Put("grace", Spec("grace", grace: 1, image: "shop:2"));
        await SiloUnderTest.Eventually(() => Task.FromResult(gateway.Asked.Contains(before.Id)), "the gateway was asked");
        await SiloUnderTest.Eventually(() => Task.FromResult(!agent.Running.Contains(before.Id)), "it is stopped");
        await silo.Until("grace", s => (string?)s["phase"] == "Running");
    }

    private Task<SimulatedAgent> Agent(string app, int number) =>
        SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, $"{app}-{number}", change: h => h.Labels.Add("only", app));

    private Task Move(string app, ContainerMove move) => silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/{app}").Move([move]);

    private Task<RouteTable> Table(string app) => silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/{app}").GetTable();

    private async Task<Seen> Deployed(string app, object spec)
    {
        await silo.Put(app, spec);
        await silo.Until(app, s => (string?)s["phase"] == "Running");
        return (await Containers(app)).Single();
    }

    private async Task<Seen> Only(string app, Func<Seen, bool> which)
    {
        Seen[] seen = [];
        await SiloUnderTest.Eventually(async () => (seen = await Containers(app)) is [{ State: "Running" } only] && which(only), $"one container of {app} is left");
        return seen[0];
    }

    private async Task<Seen[]> Containers(string app) =>
        [.. (await silo.Get($"/v1/apps/{app}/containers")).AsArray().Select(c => new Seen((string)c!["id"]!, (string)c["server"]!, (string)c["vm"]!, (string)c["state"]!))];

    private async Task<string[]> Events(string app) =>
        [.. (await silo.Get($"/v1/apps/{app}/events")).AsArray().Select(e => (string)e!["message"]!)];

    private static Container Starting(DesiredContainer desired) =>
        new() { Id = desired.Id, App = desired.App, Revision = desired.Revision, State = Protocol.ContainerState.Starting };

    private sealed record Seen(string Id, string Server, string Vm, string State);

    /// <summary>A gateway that says how much it has in flight.</summary>
    private sealed class BusyGateway : IRouteObserver
    {
        private volatile int _requests;
        private RouteTable? _table;

        public int Requests { get => _requests; set => _requests = value; }

        public System.Collections.Concurrent.ConcurrentBag<string> Asked { get; } = [];

        public IEnumerable<string> Routed => _table?.Endpoints.Select(e => e.Container) ?? [];

        public async Task Watch(SiloUnderTest silo, string app) =>
            _table = await silo.Grains.GetGrain<IReplicaSetGrain>($"{SiloUnderTest.Region}/{app}")
                .Watch(silo.Grains.CreateObjectReference<IRouteObserver>(this), null);

        public Task AppChanged(AppRoute route) => Task.CompletedTask;

        public Task TableChanged(RouteTable table)
        {
            _table = table;
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<int>?> InFlight(string app, string region, RouteVersion version, IReadOnlyList<string> containers)
        {
            foreach (var container in containers)
                Asked.Add(container);
            return Task.FromResult<IReadOnlyList<int>?>(version.IsNewerThan(_table!.Version) ? null : [.. containers.Select(_ => Requests)]);
        }
    }
}
