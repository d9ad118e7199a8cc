using CsCheck;
using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;
using static Hosting.Domain.Tests.Rollouts.RolloutWorld;

namespace Hosting.Domain.Tests.Rollouts;

/// <summary>Single moves of the planner, and whole histories of a region in miniature; the world checks the bounds at every step.</summary>
public class RolloutPlannerTests
{
    private static readonly Gen<(int Replicas, int Surge, int Unavailable)> Bounds =
        Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[0, 3]).Select((r, s, u) => (r, s == 0 && u == 0 ? 1 : s, u));

    private static readonly Gen<((int Replicas, int Surge, int Unavailable) Bounds, int Seed)> Worlds = Gen.Select(Bounds, Gen.Int);

    [Fact]
    public void A_first_deployment_places_every_replica_at_once() =>
        Assert.Equal(5, RolloutPlanner.Plan(new() { Wanted = Spec(1, 5, 1, 0), Containers = [], Now = DateTimeOffset.UnixEpoch }).Place);

    [Fact]
    public void Nothing_is_done_when_all_is_as_wanted() => Worlds.Sample((bounds, seed) =>
    {
        var world = Running(seed, bounds);
        Assert.True(RolloutPlanner.Plan(world.Snapshot).IsEmpty);
        Assert.Equal(bounds.Replicas, world.Live.Count(c => c.GetsTraffic && c.Revision == 1));
    });

    [Fact]
    public void A_rollout_ends_with_the_newest_revision_alone() => Worlds.Sample((bounds, seed) =>
    {
        var world = Running(seed, bounds);
        world.Want(Wanted(2, bounds));
        world.Settle();
        Assert.All(world.Live, c => Assert.Equal(2, c.Revision));
        Assert.Equal(bounds.Replicas, world.Live.Count);
        Assert.True(Rollout.IsComplete(world.Wanted, world.Live));
    });

    [Fact]
    public void Whatever_happens_it_ends_once_the_faults_stop() => Gen.Select(Worlds, Gen.Int[10, 120]).Sample((start, steps) =>
    {
        var world = Running(start.Seed, start.Bounds);
        var random = new Random(start.Seed);
        for (var i = 0; i < steps; i++)
        {
            Disturb(world, random, start.Bounds);
            world.Step();
        }
        world.Settle();
        var revision = world.Serving ?? world.Wanted.Revision;
        Assert.Equal(world.Wanted.Replicas, world.Live.Count(c => c.Revision == revision));
        Assert.Equal(world.Wanted.Replicas, world.Live.Count);
        Assert.DoesNotContain(world.Live, c => world.Moves.ContainsKey(c.Id));
    }, iter: 2_000);

    [Fact]
    public void Scaling_and_retiring_end_at_the_wanted_number() => Gen.Select(Worlds, Gen.Int[0, 8], Gen.Int[0, 5]).Sample((start, target, middle) =>
    {
        var world = Running(start.Seed, start.Bounds);
        world.Want(Wanted(2, start.Bounds));
        for (var i = 0; i < middle; i++)
            world.Step();
        world.Want(Wanted(2, start.Bounds with { Replicas = target }));
        world.Settle();
        Assert.Equal(target, world.Live.Count);
        world.Want(world.Wanted with { Retired = true });
        world.Settle();
        Assert.Empty(world.Live);
    });

    [Fact]
    public void A_revision_that_never_gets_healthy_leaves_the_old_one_serving_and_is_drained_by_a_stop()
    {
        var bounds = (Replicas: 4, Surge: 1, Unavailable: 0);
        var world = Running(1, bounds);
        world.Break(2);
        world.Want(Wanted(2, bounds));
        for (var i = 0; i < 200; i++)
            world.Step();
        Assert.Equal(4, world.Live.Count(c => c.GetsTraffic && c.Revision == 1));
        Assert.Equal(1, world.Live.Count(c => c.Revision == 2));
        world.Stop();
        Assert.Equal(1, world.Serving);
        world.Settle();
        Assert.Equal(4, world.Live.Count(c => c.Revision == 1));
    }

    [Fact]
    public void A_stop_brings_the_old_revision_back_to_its_number() => Worlds.Sample((bounds, seed) =>
    {
        var world = Running(seed, bounds with { Replicas = bounds.Replicas + 2, Unavailable = 1 });
        world.Break(2);
        world.Want(Wanted(2, bounds with { Replicas = bounds.Replicas + 2, Unavailable = 1 }));
        for (var i = 0; i < 30; i++)
            world.Step();
        world.Stop();
        world.Settle();
        Assert.Equal(bounds.Replicas + 2, world.Live.Count(c => c.GetsTraffic && c.Revision == 1));
        Assert.Equal(bounds.Replicas + 2, world.Live.Count);
    });

    [Fact]
    public void Scaling_down_takes_what_serves_nobody_first()
    {
        var world = Running(7, (3, 1, 0));
        var sick = world.Any()!.Id;
        world.Sicken(sick);
        world.Want(Wanted(1, (2, 1, 0)));
        Assert.Equal([sick], RolloutPlanner.Plan(world.Snapshot).Drain);
    }

    [Theory]
    [InlineData(1, 0), InlineData(0, 1), InlineData(0, 3)]
    public void What_has_to_leave_stays_until_its_replacement_is_healthy(int surge, int unavailable)
    {
        var world = Running(3, (3, surge, unavailable));
        var leaving = world.Any()!.Id;
        world.Ask(leaving, MoveCause.Pressure);
        var plan = RolloutPlanner.Plan(world.Snapshot);
        Assert.Equal((1, 1), (plan.Place, plan.ForMoves));
        Assert.Empty(plan.Drain);
        while (world.Live.Any(c => c.Id == leaving && c.State < ContainerState.Draining))
        {
            Assert.True(world.Live.Count(c => c.GetsTraffic) >= 3);
            world.Step();
        }
        Assert.Equal(3, world.Live.Count(c => c.GetsTraffic));
    }

    [Theory]
    [InlineData(4, 4), InlineData(12, 8)]
    public void All_that_have_to_leave_are_replaced_at_once_up_to_a_bound(int leaving, int placed)
    {
        var world = Running(5, (leaving, 1, 0));
        foreach (var container in world.Live.ToList())
            world.Ask(container.Id, MoveCause.Drain);
        var plan = RolloutPlanner.Plan(world.Snapshot);
        Assert.Equal((placed, placed), (plan.Place, plan.ForMoves));
        Assert.Empty(plan.Drain);
    }

    [Fact]
    public void A_moved_container_never_costs_a_healthy_one_while_all_are_healthy() => Gen.Select(Worlds, Gen.Int[1, 8]).Sample((start, leaving) =>
    {
        var world = Running(start.Seed, start.Bounds);
        // Chance may let a replacement of this world wait for its health longer than a minute, and then it would count as sick.
        world.Want(Spec(1, start.Bounds.Replicas, start.Bounds.Surge, start.Bounds.Unavailable, deadline: 3_600));
        foreach (var container in world.Live.Take(leaving).ToList())
            world.Ask(container.Id, leaving % 2 == 0 ? MoveCause.Drain : MoveCause.Pressure);
        for (var i = 0; i < 200; i++)
        {
            world.Step();
            Assert.True(world.Live.Count(c => c.GetsTraffic) >= start.Bounds.Replicas);
        }
        world.Settle();
        Assert.DoesNotContain(world.Live, c => world.Moves.ContainsKey(c.Id));
    }, iter: 1_000);

    [Fact]
    public void A_sick_neighbour_is_not_waited_for_beyond_the_progress_deadline()
    {
        var world = Running(3, (3, 1, 0));
        for (var i = 0; i < 61; i++)
            world.Step();
        var (sick, leaving) = (world.Live[0].Id, world.Live[1].Id);
        world.Ask(leaving, MoveCause.Pressure);
        for (var i = 0; i < 100; i++)
        {
            world.Sicken(sick);
            world.Step();
        }
        Assert.DoesNotContain(world.Live, c => c.Id == leaving);
        Assert.Equal(3, world.Live.Count);
    }

    [Fact]
    public void A_lost_container_keeps_its_traffic_until_a_replacement_is_healthy()
    {
        var world = Running(5, (2, 0, 1));
        var lost = world.Any()!.Id;
        world.Ask(lost, MoveCause.Lost);
        var plan = RolloutPlanner.Plan(world.Snapshot);
        Assert.Equal((1, 0), (plan.Place, plan.ForMoves));
        Assert.Empty(plan.End);
        while (world.Live.Any(c => c.Id == lost))
        {
            Assert.True(world.Live.Count(c => c.GetsTraffic) >= 2);
            world.Step();
        }
        Assert.Equal(2, world.Live.Count(c => c.GetsTraffic));
    }

    [Fact]
    public void A_lost_container_that_comes_back_stays_and_the_surplus_goes()
    {
        var world = Running(5, (2, 1, 0));
        var lost = world.Any()!.Id;
        world.Ask(lost, MoveCause.Lost);
        world.Step();
        world.TakeBack(lost);
        world.Settle();
        Assert.Equal(2, world.Live.Count);
    }

    [Fact]
    public void A_lost_container_that_was_draining_is_given_up_at_once()
    {
        var world = Running(5, (2, 1, 0));
        world.Want(Wanted(1, (1, 1, 0)));
        var draining = RolloutPlanner.Plan(world.Snapshot).Drain.Single();
        world.Ask(draining, MoveCause.Lost);
        Assert.Equal([draining], RolloutPlanner.Plan(world.Snapshot with
        {
            Containers = [.. world.Live.Select(c => c.Id == draining ? c with { State = ContainerState.Draining } : c)],
        }).End);
    }

    private static void Disturb(RolloutWorld world, Random random, (int Replicas, int Surge, int Unavailable) bounds)
    {
        var any = world.Any()?.Id ?? "nobody";
        switch (random.Next(14))
        {
            case 0: world.Sicken(any); break;
            case 1: world.Fail(any); break;
            case 2: world.Ask(any, MoveCause.Drain); break;
            case 3: world.Ask(any, MoveCause.Pressure); break;
            case 4: world.Ask(any, MoveCause.Lost); break;
            case 5 when world.Moves.Count > 0: world.TakeBack(world.Moves.Keys.First()); break;
            case 6: world.Want(Wanted(world.Wanted.Revision, bounds with { Replicas = random.Next(9) })); break;
            case 7: world.Want(Wanted(world.Wanted.Revision + 1, bounds with { Replicas = random.Next(9) })); break;
            case 8: world.Stop(); break;
        }
    }

    private static RolloutWorld Running(int seed, (int Replicas, int Surge, int Unavailable) bounds)
    {
        var world = new RolloutWorld(seed);
        world.Want(Wanted(1, bounds));
        world.Settle();
        return world;
    }

    private static ReplicaSetSpec Wanted(int revision, (int Replicas, int Surge, int Unavailable) bounds) =>
        Spec(revision, bounds.Replicas, bounds.Surge, bounds.Unavailable);
}
