using Hosting.Servers;
using Hosting.Placement;
using static Hosting.Domain.Tests.Placement.SmallRegion;

namespace Hosting.Domain.Tests.Placement;

public sealed class PlacementLedgerTests
{
    [Fact]
    public void A_refusal_says_how_many_vms_each_rule_excluded()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "a", 100), Vm("srv-1", "b", 100), Vm("srv-1", "c", 100)).With("srv-2");
        region.Report("srv-2", cpu: 0.59);

        var refusal = region.Place(Request(cpu: 250, memory: 128)).Refusal!;

        Assert.Equal("no VM of 5 fits 250m CPU and 128 MiB: 3 lack free CPU, 2 are on a server at or over its CPU threshold", refusal.Message);
        Assert.Equal([new RuleCount(PlacementRule.FreeCpu, 3), new RuleCount(PlacementRule.CpuThreshold, 2)], refusal.Rules);
    }

    [Fact]
    public void Replicas_of_one_app_go_to_servers_with_the_fewest_of_them()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2").With("srv-3");
        region.Report("srv-3", cpu: 0.4);

        var plan = region.Place(Request(cpu: 100, count: 6));

        Assert.Null(plan.Refusal);
        Assert.All(plan.Placed.GroupBy(c => c.Server), replicas => Assert.Equal(2, replicas.Count()));
        Assert.NotEqual("srv-3", plan.Placed[0].Server);
    }

    [Fact]
    public void Replicas_of_one_app_on_one_server_go_to_vms_with_the_fewest_of_them()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "roomy", 4000, 4000), Vm("srv-1", "small"));

        Assert.Equal(["small", "roomy", "small", "roomy"], region.Place(Request(cpu: 100, count: 4)).Placed.Select(c => c.Vm));
        Assert.Equal(["small", "small"], region.Place(Request(cpu: 100, count: 2, app: "packed") with { Spread = Spread.None }).Placed.Select(c => c.Vm));
        Assert.Equal("srv-1/small", region.PlaceOne(Request(cpu: 100, app: "other")));
    }

    [Fact]
    public void Without_spread_the_server_with_most_headroom_is_taken_again()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2");
        region.Report("srv-1", cpu: 0.4);

        var plan = region.Place(Request(cpu: 100, count: 2) with { Spread = Spread.None });

        Assert.Equal(["srv-2", "srv-2"], plan.Placed.Select(c => c.Server));
    }

    [Fact]
    public void Room_that_only_a_cap_makes_is_none()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2");
        region.Report("srv-1", cpu: 0.3, heldBack: 0.4);
        region.Report("srv-2", cpu: 0.5);

        Assert.Equal("srv-2/vm-1", region.PlaceOne(Request(cpu: 100)));
        var capped = region.Ledger.Describe(region.Now).Single(s => s.Server.Name == "srv-1");
        Assert.False(capped.Admitting);
        Assert.EndsWith("; 40 % of it are what its containers would take if they were not held to 800 m", capped.NotAdmittingReason, StringComparison.Ordinal);
        Assert.Equal((0.3, 800, 0.4), (capped.Utilization?.Cpu, capped.CapMillis, capped.HeldBack));
    }

    [Fact]
    public void A_small_demand_leaves_the_large_hole_alone()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "large", 8000, 8000)).With("srv-2", Vm("srv-2", "medium"), Vm("srv-2", "small", 500, 500));

        Assert.Equal("srv-2/small", region.PlaceOne(Request(cpu: 250)));
        Assert.Equal("srv-1/large", region.PlaceOne(Request(cpu: 4000)));
    }

    [Fact]
    public void Demand_counts_in_flight_until_a_report_sampled_after_the_start_includes_it()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "vm-1", 10_000, 10_000));
        var first = region.Place(Request(cpu: 5000)).Placed[0];
        Assert.StartsWith("no VM", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Ledger.Started(first.Id, region.Now);
        region.Report("srv-1", cpu: 0.1, sampledAt: region.Now);
        Assert.StartsWith("no VM", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Report("srv-1", cpu: 0.1, sampledAt: region.Now.AddMilliseconds(1));
        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void A_start_before_the_report_on_hand_is_included_in_it_already()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "vm-1", 10_000, 10_000));
        var first = region.Place(Request(cpu: 5000)).Placed[0];
        region.Report("srv-1", cpu: 0.2, sampledAt: region.Now);

        region.Ledger.Started(first.Id, region.Now.AddMilliseconds(-1));

        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void A_report_that_lists_a_container_includes_it_although_the_word_of_its_start_was_lost()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "vm-1", 10_000, 10_000));
        var first = region.Place(Request(cpu: 5000)).Placed[0];
        region.Report("srv-1", cpu: 0.1);
        Assert.StartsWith("no VM", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Ledger.Report("srv-1", new UtilizationReport
        {
            SampledAt = region.Now, Utilization = new(0.2, 0, 0), Vms = [], Usage = [new ContainerUsage(first.Id, 900, 50)],
        }, region.Now);

        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void A_silent_server_takes_nothing_until_its_next_report()
    {
        var region = new SmallRegion().With("srv-1");
        region.Now += TimeSpan.FromSeconds(2.9);
        Assert.Empty(region.Ledger.ExpireStale(region.Now));
        region.Now += TimeSpan.FromSeconds(0.1);

        Assert.EndsWith("2 are on a server not heard from lately", region.PlaceOne(Request()), StringComparison.Ordinal);
        Assert.Equal(["srv-1"], region.Ledger.ExpireStale(region.Now));
        Assert.Empty(region.Ledger.ExpireStale(region.Now));
        region.Report("srv-1");
        Assert.StartsWith("srv-1/", region.PlaceOne(Request()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_set_back_does_not_freshen_a_silent_server()
    {
        var region = new SmallRegion().With("srv-1");
        region.Ledger.ExpireStale(region.Now.AddSeconds(10));

        Assert.StartsWith("no VM", region.PlaceOne(Request()), StringComparison.Ordinal);
    }

    [Fact]
    public void Restored_servers_take_nothing_before_they_join_and_report()
    {
        var region = new SmallRegion();
        region.Ledger.Restore(Server("srv-1"), [Vm("srv-1", "vm-1")]);
        Assert.EndsWith("1 is on a server that is offline", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Ledger.Join(Server("srv-1"), [Vm("srv-1", "vm-1")]);
        Assert.EndsWith("1 is on a server not heard from lately", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Report("srv-1");
        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void Thresholds_take_effect_on_the_next_decision()
    {
        var region = new SmallRegion().With("srv-1");
        region.Report("srv-1", cpu: 0.5);

        region.Ledger.SetDefaults(new Thresholds(0.5, 0.8));
        Assert.StartsWith("no VM", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Ledger.Configure(Server("srv-1") with { Thresholds = new Thresholds(0.9, 0.95) });
        Assert.StartsWith("srv-1/", region.PlaceOne(Request()), StringComparison.Ordinal);

        region.Ledger.Configure(Server("srv-1") with { Thresholds = new Thresholds(0.9, 0.95), Cordoned = true });
        Assert.EndsWith("2 are cordoned", region.PlaceOne(Request()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cordoned_vm_takes_nothing_and_says_so()
    {
        var region = new SmallRegion().With("srv-1");
        region.Ledger.Configure(Vm("srv-1", "vm-1") with { Cordoned = true });
        Assert.Equal("srv-1/vm-2", region.PlaceOne(Request()));

        region.Ledger.Configure(Vm("srv-1", "vm-2") with { Cordoned = true, Draining = true });
        Assert.EndsWith("2 are cordoned", region.PlaceOne(Request()), StringComparison.Ordinal);
        var explained = region.Ledger.Explain(Request(), 2, region.Now);
        Assert.Equal([new RuleCount(PlacementRule.Cordoned, 2)], explained.Excluded);
        Assert.Equal(
            [("vm-1", "cordoned by an operator"), ("vm-2", "being drained by an operator")],
            explained.Candidates.OrderBy(c => c.Vm).Select(c => (c.Vm, c.Reason)));
        Assert.False(region.Ledger.Describe(region.Now)[0].Admitting);

        region.Ledger.Configure(Vm("srv-1", "vm-1"));
        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void Room_elsewhere_is_found_for_all_together_and_nothing_is_taken()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "vm-1", cpu: 4000));
        var placed = region.Place(Request(count: 3)).Placed;
        region.With("srv-2", Vm("srv-2", "vm-1", cpu: 2000));
        MoveCandidate[] candidates = [.. placed.Select(c => new MoveCandidate(c.Id, null, false)), new("unknown", null, false)];

        Assert.Equal([placed[0].Id, placed[1].Id], region.Ledger.FindRoom("srv-1", candidates, region.Now).Order());
        Assert.Equal(3, region.Ledger.Containers);
        Assert.Equal(2000, region.Ledger.Describe(region.Now)[1].Vms[0].FreeCpuMillis);
        var labels = new Dictionary<string, string> { ["disk"] = "ssd" };
        Assert.Empty(region.Ledger.FindRoom("srv-1", [new MoveCandidate(placed[0].Id, labels, false)], region.Now));
    }

    [Fact]
    public void A_server_not_heard_from_is_suspect()
    {
        var region = new SmallRegion().With("srv-1");
        Assert.False(region.Ledger.Describe(region.Now)[0].Suspect);
        Assert.True(region.Ledger.Describe(region.Now.AddSeconds(3))[0].Suspect);
        Assert.Equal(region.Now, region.Ledger.Describe(region.Now)[0].LastHeardAt);
    }

    [Fact]
    public void All_or_nothing_reserves_nothing_unless_all_fit()
    {
        var region = new SmallRegion().With("srv-1");

        var refused = region.Place(Request(count: 5) with { AllOrNothing = true });

        Assert.Empty(refused.Placed);
        Assert.StartsWith("4 of 5 replicas fit, so none was placed; for one more, no VM of 2 fits", refused.Refusal!.Message, StringComparison.Ordinal);
        Assert.Equal(0, region.Ledger.Containers);
        Assert.Equal(4, region.Place(Request(count: 5)).Placed.Count);
    }

    [Fact]
    public void A_vm_that_is_gone_stays_for_its_containers_and_takes_nothing_more()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "old"));
        var placed = region.Place(Request()).Placed[0];

        region.Ledger.Join(Server("srv-1"), []);
        region.Report("srv-1");
        Assert.EndsWith("1 is not ready", region.PlaceOne(Request()), StringComparison.Ordinal);

        Assert.True(region.Ledger.Release(placed.Id));
        Assert.Equal(0, region.Ledger.Vms);
        Assert.StartsWith("region eu-1 has no VMs yet", region.PlaceOne(Request()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_vm_made_smaller_than_its_contents_takes_nothing_until_they_fit_again()
    {
        var region = new SmallRegion().With("srv-1", Vm("srv-1", "vm-1"));
        var placed = region.Place(Request(cpu: 1500)).Placed[0];

        region.Ledger.Join(Server("srv-1"), [Vm("srv-1", "vm-1", cpu: 1000)]);
        region.Report("srv-1");

        Assert.EndsWith("1 lacks free CPU", region.PlaceOne(Request(cpu: 1)), StringComparison.Ordinal);
        Assert.Equal(0, region.Ledger.Describe(region.Now)[0].Vms[0].FreeCpuMillis);
        region.Ledger.Release(placed.Id);
        Assert.Equal("srv-1/vm-1", region.PlaceOne(Request()));
    }

    [Fact]
    public void Labels_and_servers_to_avoid_narrow_the_choice()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2");
        var ssd = Request() with { Constraints = new Dictionary<string, string> { ["disk"] = "ssd" } };
        Assert.EndsWith("4 are on a server without the labels asked for, or to be avoided", region.PlaceOne(ssd), StringComparison.Ordinal);

        region.Ledger.Join(Server("srv-2", ("disk", "ssd")), [Vm("srv-2", "vm-1")]);
        region.Report("srv-2");

        Assert.Equal("srv-2/vm-1", region.PlaceOne(ssd));
        Assert.StartsWith("no VM", region.PlaceOne(ssd with { Avoid = ["srv-2"] }), StringComparison.Ordinal);
        Assert.StartsWith("srv-1/", region.PlaceOne(Request(app: "other") with { Avoid = ["srv-2"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_lists_the_best_first_and_says_why_others_are_out()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2").With("srv-3");
        region.Report("srv-2", cpu: 0.55);
        region.Ledger.Leave("srv-3", "its agent disconnected");

        var explained = region.Ledger.Explain(Request(), 6, region.Now);

        Assert.Equal((6, 2), (explained.Vms, explained.Matching));
        Assert.Equal([1, 2, null, null, null, null], explained.Candidates.Select(c => c.Rank));
        Assert.Equal("projected CPU utilization of 65 % is at or over the admit threshold of 60 %", explained.Candidates[2].Reason);
        Assert.Equal("offline: its agent disconnected", explained.Candidates[5].Reason);
    }

    [Fact]
    public void Describe_says_why_a_server_admits_nothing()
    {
        var region = new SmallRegion().With("srv-1").With("srv-2");
        region.Report("srv-1", memory: 0.7);

        var servers = region.Ledger.Describe(region.Now);

        Assert.Equal("projected memory utilization of 70 % is at or over the admit threshold of 60 %", servers[0].NotAdmittingReason);
        Assert.True(servers[1].Admitting);
    }

    [Fact]
    public void A_server_whose_primary_may_feel_its_vms_takes_nothing_until_its_own_check_is_content()
    {
        var region = new SmallRegion().With("srv-1");
        region.Report("srv-1", unprotected: "cpu.idle is 0, not 1");
        Assert.Equal("its primary may feel the VMs: cpu.idle is 0, not 1", region.Ledger.Describe(region.Now)[0].NotAdmittingReason);
        Assert.Contains("on a server whose primary may feel the VMs", region.Place(SmallRegion.Request()).Refusal!.Message, StringComparison.Ordinal);
        region.Report("srv-1");
        Assert.Single(region.Place(SmallRegion.Request()).Placed);
    }

    [Fact]
    public void Restored_containers_hold_their_room_and_can_be_released_even_when_nothing_else_knows_their_vm()
    {
        var region = new SmallRegion();
        var record = new ContainerRecord
        {
            Id = "shop-x", App = "shop", Revision = 1, Region = "eu-1", Server = "srv-9", Vm = "lost", Demand = new Demand(100, 100),
            State = ContainerState.Running, CreatedAt = region.Now,
        };

        region.Ledger.Restore(record);
        region.Ledger.Restore(record with { Id = "shop-over", State = ContainerState.Stopped });

        Assert.Equal([record], region.Ledger.ContainersOf("srv-9"));
        Assert.True(region.Ledger.Release("shop-x"));
        Assert.False(region.Ledger.Release("shop-over"));
    }

    [Fact]
    public void More_sizes_than_the_index_has_classes_are_answered_rightly_again_and_again()
    {
        var region = new SmallRegion();
        for (var server = 1; server <= 30; server++) region.With($"srv-{server}", Vm($"srv-{server}", "vm-1", cpu: 500));

        for (var round = 0; round < 3; round++)
            for (var cpu = 1000; cpu > 0; cpu -= 10)
            {
                var plan = region.Place(Request(cpu, count: 31));
                Assert.Equal(cpu > 500 ? 0 : Math.Min(31, 30 * (500 / cpu)), plan.Placed.Count);
                if (plan.Refusal is not null) Assert.Equal([new RuleCount(PlacementRule.FreeCpu, 30)], plan.Refusal.Rules);
                foreach (var placed in plan.Placed) Assert.True(region.Ledger.Release(placed.Id));
            }
    }

    [Fact]
    public void A_request_out_of_range_is_a_mistake_of_the_caller()
    {
        var region = new SmallRegion().With("srv-1");
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Place(Request(cpu: 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Place(Request(count: 1001)));
    }
}
