using CsCheck;
using Hosting.Placement;
using Hosting.Regions;

namespace Hosting.Domain.Tests.Eviction;

public class ServerPressureTests
{
    private static readonly Gen<Demand> Takes =
        Gen.Select(Gen.Int[0, 600], Gen.Int[0, 1_200], (cpu, memory) => new Demand(cpu, memory));

    [Fact]
    public void Nobody_leaves_before_the_time_and_then_the_fewest_that_suffice()
    {
        var server = Hot();
        server.Tick(10);
        Assert.Empty(server.Chosen);
        server.Tick(2);
        Assert.Equal(["big"], server.Chosen);
        var reason = server.Pressure.Moves.Single().Reason;
        Assert.Equal("CPU 0.90 over 0.80 for 5 s", reason);
    }

    [Fact]
    public void A_peak_that_ends_in_time_moves_nobody()
    {
        var server = Hot();
        server.Tick(9);
        server.PrimaryCpu = 0.05;
        server.Tick(3);
        server.PrimaryCpu = 0.5;
        server.Tick(9);
        Assert.Empty(server.Chosen);
    }

    [Fact]
    public void One_report_under_the_threshold_is_noise()
    {
        var server = Hot();
        for (var i = 0; i < 13; i++)
        {
            server.PrimaryCpu = i % 4 == 3 ? 0.1 : 0.26;
            server.Tick();
        }
        Assert.NotEmpty(server.Chosen);
    }

    [Fact]
    public void Nothing_is_decided_twice_however_long_the_move_takes() => Gen.Select(Takes.Array[1, 8], Gen.Double[0, 0.4], Gen.Double[0, 0.4], Gen.Int[1, 40], Gen.Bool).Sample(
        (takes, cpu, memory, ticksToLeave, drains) =>
        {
            var server = new HotServer { PrimaryCpu = cpu, PrimaryMemory = memory };
            foreach (var (i, taken) in takes.Index()) server.Run($"c-{i}", taken);
            server.Tick(14);
            var first = server.Chosen.ToList();
            server.Tick(ticksToLeave);
            if (drains) foreach (var id in first) server.Drain(id);
            server.Tick(3);
            foreach (var id in first)
            {
                server.End(id);
                server.Tick();
            }
            server.Tick(8);
            Assert.Equal(first, server.Chosen);
            Assert.Empty(server.Stayed);
            Assert.True(server.Utilization.Cpu <= 0.8 && server.Utilization.Memory <= 0.8);
        });

    [Fact]
    public void Who_takes_less_than_its_demand_is_followed_by_others_until_it_is_enough()
    {
        var server = new HotServer { PrimaryCpu = 0.5, MeasuresContainers = false };
        for (var i = 0; i < 8; i++) server.Run($"c-{i}", new Demand(400, 100), demand: new Demand(3_000, 100));
        for (var i = 0; i < 60; i++)
        {
            server.Tick();
            foreach (var id in server.Chosen) server.End(id);
        }
        Assert.True(server.Utilization.Cpu <= 0.8);
        Assert.NotEmpty(server.Live);
    }

    [Fact]
    public void All_leave_when_the_primary_alone_is_over()
    {
        var server = new HotServer { PrimaryCpu = 0.95 };
        for (var i = 0; i < 4; i++) server.Run($"c-{i}", new Demand(20, 64));
        server.Tick(12);
        Assert.Equal(4, server.Chosen.Count);
    }

    [Fact]
    public void Who_is_not_draining_yet_stays_when_the_need_is_over()
    {
        var server = new HotServer { PrimaryCpu = 0.9 };
        server.Run("a", new Demand(100, 64));
        server.Run("b", new Demand(100, 64));
        server.Tick(12);
        server.Drain("a");
        server.PrimaryCpu = 0.2;
        server.Tick(6);
        Assert.Equal(["b"], server.Stayed);
        Assert.Equal("a", Assert.Single(server.Pressure.Moves).Container.Id);
    }

    [Fact]
    public void A_primary_that_waits_for_a_cpu_is_not_relieved_however_little_it_takes()
    {
        var server = Hot();
        server.Tick(12);
        (server.PrimaryCpu, server.PrimaryWait, server.CapMillis) = (0, 0.5, HotServer.Capacity.CpuMillis);
        server.End("small-1");
        server.Tick(10);
        Assert.Empty(server.Stayed);
        server.CapMillis = null;
        server.Tick();
        Assert.Equal(["big"], server.Stayed);
    }

    [Fact]
    public void The_first_report_that_is_over_counts_from_the_one_before()
    {
        var server = Hot();
        server.PrimaryCpu = 0.1;
        server.Tick(4);
        server.PrimaryCpu = 0.26;
        server.Tick(9);
        Assert.Empty(server.Chosen);
        server.Tick();
        Assert.Equal(["big"], server.Chosen);
    }

    [Fact]
    public void Between_the_thresholds_what_was_decided_goes_on()
    {
        var server = Hot();
        server.Tick(12);
        server.PrimaryCpu = 0.1;
        server.Tick(10);
        Assert.Empty(server.Stayed);
        Assert.Single(server.Pressure.Moves);
    }

    [Fact]
    public void Where_the_best_one_has_no_room_others_leave()
    {
        var server = Hot();
        server.Tick(15, move => move.Container.Id == "big" ? MoveAnswer.NoRoom : MoveAnswer.Begin);
        Assert.Equal(["small-1", "small-2"], server.Pressure.Moves.Select(m => m.Container.Id).Order());
        Assert.Empty(server.Pressure.Held);
    }

    [Fact]
    public void Where_nobody_has_room_all_are_held_and_it_is_tried_again()
    {
        var server = Hot();
        server.Tick(16, _ => MoveAnswer.NoRoom);
        Assert.Empty(server.Pressure.Moves);
        Assert.Equal(["big", "small-1", "small-2"], server.Pressure.Held.Select(m => m.Container.Id).Order());
        server.Tick(12);
        Assert.Equal("big", Assert.Single(server.Pressure.Moves).Container.Id);
    }

    [Fact]
    public void A_move_that_comes_to_nothing_is_given_up()
    {
        var server = Hot();
        server.Tick(12 + 2 * 120);
        Assert.Equal(["big"], server.Stayed);
        Assert.DoesNotContain("big", server.Pressure.Moves.Select(m => m.Container.Id));
    }

    [Fact]
    public void Who_is_held_to_a_cap_leaves_all_the_same_and_counts_with_what_it_would_take()
    {
        var server = Hot();
        server.Tick(2);
        server.CapMillis = 2_000;
        server.Tick(10);
        Assert.InRange(server.Utilization.Cpu, 0.5, 0.6);
        Assert.Equal(["big"], server.Chosen);
        var reason = server.Pressure.Moves.Single().Reason;
        Assert.Equal("CPU 0.90 over 0.80 for 5 s, its containers are held to 2000 m CPU", reason);
        server.End("big");
        server.Tick(20);
        Assert.Single(server.Chosen);
    }

    [Fact]
    public void A_cap_that_takes_nothing_from_anybody_moves_nobody()
    {
        var server = new HotServer { PrimaryCpu = 0.5, CapMillis = 800 };
        server.Run("a", new Demand(400, 64));
        server.Tick(20);
        Assert.Empty(server.Chosen);
    }

    [Fact]
    public void Where_nobody_has_room_the_held_back_are_said_to_be_throttled()
    {
        var server = Hot();
        server.CapMillis = 2_000;
        server.Tick(16, _ => MoveAnswer.NoRoom);
        Assert.Equal(3, server.Pressure.Held.Count);
    }

    [Fact]
    public void Memory_counts_as_cpu_does_and_is_urgent_at_the_end()
    {
        var server = new HotServer { PrimaryMemory = 0.78, Policy = new RegionPolicy { EvictAfterSeconds = 1 } };
        server.Run("a", new Demand(10, 3_200));
        server.Run("b", new Demand(2_000, 16));
        server.Tick(6);
        Assert.True(server.Pressure.IsUrgent);
        Assert.StartsWith("memory 0.98 over 0.80 for", server.Pressure.Moves.First().Reason, StringComparison.Ordinal);
    }

    /// <summary>CPU 0.90: without "big" it is 0.58; without the two small ones 0.58, too.</summary>
    private static HotServer Hot()
    {
        var server = new HotServer { PrimaryCpu = 0.26 };
        server.Run("big", new Demand(2_560, 512));
        server.Run("small-1", new Demand(1_280, 256));
        server.Run("small-2", new Demand(1_280, 256));
        return server;
    }
}
