using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Hosting.Simulation.Tests.Checks;
using Hosting.Simulation.Tests.Load;
using Hosting.Simulation.Tests.Time;
using Hosting.Simulation.Tests.World;
using Hosting.Vms;

namespace Hosting.Simulation.Tests;

/// <summary>The checkers one by one: each says its rule when it is broken, and nothing a step before.</summary>
public sealed class CheckTests
{
    private static readonly AppSpec Spec = new() { Image = "good", Port = 80, CpuMillis = 100, MemoryMiB = 100, Rollout = new RolloutSpec { MaxSurge = 1 } };
    private static readonly DateTimeOffset Now = VirtualTime.Start;

    private readonly List<string> _broken = [];
    private readonly Books _books = new();
    private readonly AdmissionCheck _admission;
    private readonly Engine _engine = new("vm-1", 1_000, 400);

    public CheckTests()
    {
        var record = new ServerRecord { Region = "eu-1", Name = "srv-1", CpuMillis = 2_000, MemoryMiB = 2_000 };
        _books.Add(new Machine(record, [_engine], new PrimaryLoad(new PrimaryTrace([0.1f], [0.1f]), 0, 1, 1), TimeSpan.Zero));
        Hear(cpu: 0.1);
        _admission = new AdmissionCheck(_books, Thresholds.Default, Fail);
    }

    [Fact]
    public void More_than_a_VM_has_is_over_capacity()
    {
        _books.Placed(Record("a", new Demand(10, 300)));
        Place("b", new Demand(10, 100), null);
        Place("c", new Demand(10, 101), "no VM over capacity");
    }

    [Fact]
    public void What_no_report_includes_counts_to_the_threshold()
    {
        _books.Placed(Record("a", new Demand(400, 10)));
        Hear(cpu: 0.35);
        Place("b", new Demand(99, 10), null);
        Place("c", new Demand(101, 10), "no placement at or over threshold");
    }

    [Fact]
    public void What_is_closed_takes_nothing()
    {
        _books["srv-1"].Closed.Add("vm-2");
        Place("a", new Demand(1, 1), null);
        _books["srv-1"].Closed.Add("vm-1");
        Place("b", new Demand(1, 1), "nothing is placed on what is closed");
    }

    [Fact]
    public void Three_seconds_of_silence_are_too_many()
    {
        _admission.Placed(Record("a", new Demand(1, 1)), Now.AddSeconds(2.9));
        Assert.Empty(_broken);
        _admission.Placed(Record("b", new Demand(1, 1)), Now.AddSeconds(3));
        Assert.Equal(["nothing is placed on a server not heard from"], _broken);
    }

    [Fact]
    public void A_seventh_move_of_a_replica_in_an_hour_flaps()
    {
        var check = new FlapCheck(TimeSpan.FromMinutes(5), Fail);
        for (var i = 0; i < 6; i++) check.Evicted(Record($"a-{i}", default), replicas: 1, Now.AddMinutes(i));
        Assert.Empty(_broken);
        check.Evicted(Record("a-6", default), replicas: 1, Now.AddMinutes(59));
        Assert.Equal(["bounded moves per app and hour"], _broken);
    }

    [Fact]
    public void Moves_count_for_the_replicas_that_there_were()
    {
        var check = new FlapCheck(TimeSpan.FromMinutes(5), Fail);
        for (var i = 0; i < 15; i++) check.Evicted(Record($"a-{i}", default), replicas: 3, Now.AddMinutes(i));
        check.Evicted(Record("a-15", default), replicas: 1, Now.AddMinutes(15));
        Assert.Empty(_broken);
        check.Evicted(Record("a-16", default), replicas: 1, Now.AddMinutes(16));
        Assert.Equal(["bounded moves per app and hour"], _broken);
    }

    [Fact]
    public void A_move_that_is_over_leaves_the_budget()
    {
        var check = new BudgetCheck(new RegionPolicy { MovesAtOnce = 1 }, () => Now, Fail);
        check.Granted("a", exempt: false);
        check.Ended("a");
        check.Granted("b", exempt: false);
        Assert.Empty(_broken);
        check.Granted("c", exempt: false);
        Assert.Equal(["at most so many moves at once"], _broken);
    }

    [Fact]
    public void A_rollout_keeps_between_floor_and_ceiling()
    {
        ContainerRecord[] serving = [Serving("a"), Serving("b"), Serving("c")];
        Plan(serving, place: 0, drain: ["a"]);
        Assert.Empty(_broken);
        Plan(serving, place: 0, drain: ["a", "b"]);
        Plan(serving, place: 1, drain: []);
        Assert.Equal(["never below the floor by our own doing", "never over the ceiling"], _broken);
    }

    [Fact]
    public void Only_what_gets_no_traffic_is_stopped()
    {
        var serving = Serving("a");
        var check = new DrainCheck(_ => serving, Fail);
        var wanted = new DesiredContainer { Id = "a", App = "app", Revision = 1, Spec = Spec };
        _engine.Processes.Add("a", new Process(_engine, wanted, 1) { Runs = true });
        Tell(wanted);
        serving = serving with { State = ContainerState.Draining };
        Tell(wanted with { Stop = true });
        Assert.Empty(_broken);
        serving = serving with { State = ContainerState.Running };
        Tell(wanted with { Stop = true });
        Tell();
        Assert.Equal(["nothing that gets traffic is stopped", "nothing that gets traffic is stopped"], _broken);

        void Tell(params DesiredContainer[] containers)
        {
            _engine.Desired = new DesiredVm { Vm = "vm-1", Version = 1, Containers = containers };
            check.Told(_engine);
        }
    }

    private void Place(string id, Demand demand, string? broken)
    {
        _admission.Placed(Record(id, demand), Now);
        Assert.Equal(broken is null ? [] : [broken], _broken);
        _broken.Clear();
    }

    /// <summary>Two replicas wanted, one more allowed.</summary>
    private void Plan(ContainerRecord[] here, int place, string[] drain) => new FloorCheck(() => Now, Fail).Planned(
        new ReplicaSetSpec { Revision = 1, Spec = Spec, Replicas = 2, Generation = 1 }, here, new Dictionary<string, MoveCause>(),
        new RolloutPlan(1, place, 0, drain, []));

    private void Hear(double cpu) => (_books["srv-1"].Last, _books["srv-1"].HeardAt) =
        (new UtilizationReport { SampledAt = Now, Utilization = new Utilization(cpu, 0.1, cpu), Vms = [] }, Now);

    private static ContainerRecord Serving(string id) =>
        Record(id, default) with { State = ContainerState.Running, Healthy = true, Endpoint = "10.0.0.1:80" };

    private static ContainerRecord Record(string id, Demand demand) => new()
    {
        Id = id, App = "app", Revision = 1, Region = "eu-1", Server = "srv-1", Vm = "vm-1", Demand = demand,
        State = ContainerState.Placed, CreatedAt = Now,
    };

    private void Fail(string rule, string message) => _broken.Add(rule);
}
