using CsCheck;
using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;

namespace Hosting.Domain.Tests.Rollouts;

/// <summary>A region in miniature: containers become healthy, fail and stop in a random order while the planner steps.</summary>
public class RolloutPlannerTests
{
    private static readonly Gen<(int Replicas, int Surge, int Unavailable)> Bounds =
        Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[0, 3]).Select((r, s, u) => (r, s == 0 && u == 0 ? 1 : s, u));

    private static readonly Gen<((int Replicas, int Surge, int Unavailable) Bounds, int Seed)> Worlds = Gen.Select(Bounds, Gen.Int);

    [Fact]
    public void A_first_deployment_places_every_replica_at_once() =>
        Assert.Equal(5, RolloutPlanner.Plan(Wanted(1, (5, 1, 0)), []).Place);

    [Fact]
    public void Nothing_is_done_when_all_is_as_wanted() => Worlds.Sample((bounds, seed) =>
    {
        var world = new World(seed, bounds);
        world.Settle(Wanted(1, bounds));
        Assert.True(RolloutPlanner.Plan(Wanted(1, bounds), world.Live).IsEmpty);
        Assert.Equal(bounds.Replicas, world.Live.Count(c => c.GetsTraffic && c.Revision == 1));
    });

    [Fact]
    public void A_rollout_keeps_its_floor_and_its_ceiling_and_ends() => Worlds.Sample((bounds, seed) =>
    {
        var world = new World(seed, bounds);
        world.Settle(Wanted(1, bounds));
        world.Settle(Wanted(2, bounds), checkBounds: true);
        Assert.All(world.Live, c => Assert.Equal(2, c.Revision));
        Assert.Equal(bounds.Replicas, world.Live.Count);
    });

    [Fact]
    public void A_newer_spec_in_the_middle_turns_the_rollout() => Worlds.Sample((bounds, seed) =>
    {
        var world = new World(seed, bounds);
        world.Settle(Wanted(1, bounds));
        for (var i = 0; i < 3; i++)
            world.Step(Wanted(2, bounds), checkBounds: true);
        world.Settle(Wanted(3, bounds), checkBounds: true);
        Assert.All(world.Live, c => Assert.Equal(3, c.Revision));
    });

    [Fact]
    public void Scaling_and_retiring_end_at_the_wanted_number() => Gen.Select(Worlds, Gen.Int[0, 8]).Sample((start, target) =>
    {
        var world = new World(start.Seed, start.Bounds);
        world.Settle(Wanted(1, start.Bounds));
        world.Settle(Wanted(1, start.Bounds with { Replicas = target }));
        Assert.Equal(target, world.Live.Count);
        world.Settle(Wanted(1, start.Bounds) with { Retired = true });
        Assert.Empty(world.Live);
    });

    [Fact]
    public void A_revision_that_never_gets_healthy_leaves_the_old_one_serving()
    {
        var bounds = (Replicas: 4, Surge: 1, Unavailable: 0);
        var world = new World(1, bounds);
        world.Settle(Wanted(1, bounds));
        world.NewOnesStaySick = true;
        for (var i = 0; i < 200; i++)
            world.Step(Wanted(2, bounds), checkBounds: true);
        Assert.Equal(4, world.Live.Count(c => c.GetsTraffic && c.Revision == 1));
    }

    [Fact]
    public void Scaling_down_takes_what_serves_nobody_first()
    {
        var bounds = (Replicas: 3, Surge: 1, Unavailable: 0);
        var world = new World(7, bounds);
        world.Settle(Wanted(1, bounds));
        var sick = world.Sicken();
        var plan = RolloutPlanner.Plan(Wanted(1, bounds with { Replicas = 2 }), world.Live);
        Assert.Equal([sick], plan.Drain);
    }

    private static ReplicaSetSpec Wanted(int revision, (int Replicas, int Surge, int Unavailable) bounds) => new()
    {
        Revision = revision,
        Generation = revision,
        Replicas = bounds.Replicas,
        Spec = new AppSpec
        {
            Image = "shop:1",
            Port = 80,
            Replicas = bounds.Replicas,
            Rollout = new RolloutSpec { MaxSurge = bounds.Surge, MaxUnavailable = bounds.Unavailable },
        },
    };

    private sealed class World(int seed, (int Replicas, int Surge, int Unavailable) bounds)
    {
        private readonly Random _random = new(seed);
        private readonly List<ContainerRecord> _live = [];
        private int _next;

        public IReadOnlyList<ContainerRecord> Live => _live;

        public bool NewOnesStaySick { get; set; }

        public void Settle(ReplicaSetSpec wanted, bool checkBounds = false)
        {
            for (var steps = 0; steps < 2_000; steps++)
            {
                if (RolloutPlanner.Plan(wanted, _live).IsEmpty && _live.All(c => c.GetsTraffic))
                    return;
                Step(wanted, checkBounds);
            }
            Assert.Fail($"not settled: {string.Join(", ", _live.Select(c => $"{c.Revision}/{c.State}/{c.Healthy}"))}");
        }

        public void Step(ReplicaSetSpec wanted, bool checkBounds)
        {
            var healthyBefore = _live.Count(c => c.GetsTraffic);
            var plan = RolloutPlanner.Plan(wanted, _live);
            for (var i = 0; i < plan.Place; i++)
                _live.Add(New(wanted.Revision));
            foreach (var id in plan.Drain)
                Set(id, c => c with { State = ContainerState.Draining });
            if (checkBounds)
            {
                var floor = Math.Min(healthyBefore, Math.Max(0, bounds.Replicas - bounds.Unavailable));
                Assert.True(_live.Count(c => c.GetsTraffic) >= floor, "fewer serve than the floor");
                Assert.True(plan.Place == 0 || _live.Count(c => c.State < ContainerState.Draining) <= bounds.Replicas + bounds.Surge, "more than the ceiling");
            }
            HappenSomething();
        }

        public string Sicken()
        {
            Set(_live[0].Id, c => c with { Healthy = false });
            return _live[0].Id;
        }

        private void HappenSomething()
        {
            if (_live.Count == 0)
                return;
            var chosen = _live[_random.Next(_live.Count)];
            if (chosen.State == ContainerState.Draining)
                _live.Remove(chosen);
            else if (!NewOnesStaySick || chosen.Revision == 1)
                Set(chosen.Id, c => c with { State = ContainerState.Running, Healthy = true, Endpoint = "10.0.0.1:80" });
        }

        private ContainerRecord New(int revision) => new()
        {
            Id = $"shop-{_next}",
            App = "shop",
            Revision = revision,
            Region = "eu-1",
            Server = "srv-01",
            Vm = "vm-1",
            Demand = new Demand(100, 64),
            State = ContainerState.Placed,
            CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(_next++),
        };

        private void Set(string id, Func<ContainerRecord, ContainerRecord> change)
        {
            var index = _live.FindIndex(c => c.Id == id);
            _live[index] = change(_live[index]);
        }
    }
}
