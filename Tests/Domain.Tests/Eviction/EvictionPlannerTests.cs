using CsCheck;
using Hosting.Domain.Eviction;
using Hosting.Placement;

namespace Hosting.Domain.Tests.Eviction;

/// <summary>Held against all subsets of the containers: slow, and nothing to get wrong.</summary>
public class EvictionPlannerTests
{
    private static readonly Demand Capacity = new(8_000, 16_384);

    private static readonly Gen<Demand> Sizes = Gen.Frequency(
        (2, Gen.Select(Gen.OneOf(0, 100, 250, 500, 1_000), Gen.OneOf(0, 64, 256, 1_024, 2_048), (cpu, memory) => new Demand(cpu, memory))),
        (1, Gen.Select(Gen.Int[0, 2_000], Gen.Int[0, 4_000], (cpu, memory) => new Demand(cpu, memory))));

    private static readonly Gen<IReadOnlyList<Guest>> Guests =
        Sizes.Array[0, 10].Select(sizes => (IReadOnlyList<Guest>)[.. sizes.Select((frees, i) => new Guest($"c-{i}", frees))]);

    private static readonly Gen<ServerLoad> Loads = Gen.Select(
        Gen.Double[0, 1], Gen.Double[0, 1], Gen.Double[0.3, 0.7], Gen.Double[0, 0.3], Gen.Frequency((3, Gen.Const(default(Demand))), (1, Sizes)),
        (cpu, memory, admit, above, leaving) => new ServerLoad(new Utilization(cpu, memory, cpu / 2), new Thresholds(admit, admit + above), Capacity, leaving));

    [Fact]
    public void Nobody_leaves_a_server_that_is_not_over_its_evict_threshold() => Gen.Select(Loads, Guests).Sample((load, guests) =>
    {
        var calm = load with { Utilization = new(Math.Min(load.Utilization.Cpu, load.Thresholds.Evict), Math.Min(load.Utilization.Memory, load.Thresholds.Evict), 0) };
        Assert.Same(EvictionPlan.Nobody, EvictionPlanner.Plan(calm, guests));
    });

    [Fact]
    public void The_fewest_that_suffice_leave_and_all_when_none_suffice() => Gen.Select(Loads, Guests).Sample((load, guests) =>
    {
        var plan = EvictionPlanner.Plan(load, guests);
        var fewest = Subsets(guests).Where(chosen => IsRelieved(load, chosen)).Select(chosen => (int?)chosen.Count).Min();
        Assert.Equal(fewest is not null, plan.Suffices);
        Assert.Equal(fewest ?? guests.Count, plan.Leave.Count);
        Assert.Equal(fewest is not null, IsRelieved(load, [.. guests.Where(g => plan.Leave.Contains(g.Id))]));
    }, iter: 3_000);

    [Fact]
    public void Without_any_one_of_the_chosen_the_rest_does_not_suffice() => Gen.Select(Loads, Guests).Sample((load, guests) =>
    {
        var plan = EvictionPlanner.Plan(load, guests);
        if (!plan.Suffices) return;
        foreach (var spared in plan.Leave)
            Assert.False(IsRelieved(load, [.. guests.Where(g => g.Id != spared && plan.Leave.Contains(g.Id))]));
    });

    [Fact]
    public void The_order_of_the_guests_does_not_matter() => Gen.Select(Loads, Guests, Gen.Int).Sample((load, guests, seed) =>
    {
        var shuffled = guests.ToArray();
        new Random(seed).Shuffle(shuffled);
        Assert.Equal(EvictionPlanner.Plan(load, guests).Leave, EvictionPlanner.Plan(load, shuffled).Leave);
    });

    [Fact]
    public void What_leaves_already_counts_as_gone()
    {
        var load = new ServerLoad(new Utilization(0.9, 0.1, 0.5), Thresholds.Default, Capacity, new Demand(2_401, 0));
        Assert.Same(EvictionPlan.Nobody, EvictionPlanner.Plan(load, [new Guest("c", new Demand(1_000, 0))]));
    }

    [Fact]
    public void Hundreds_of_guests_of_all_sizes_take_bounded_work()
    {
        var random = new Random(7);
        Guest[] guests = [.. Enumerable.Range(0, 300).Select(i => new Guest($"c-{i}", new Demand(random.Next(1, 400), random.Next(1, 800))))];
        var capacity = new Demand(64_000, 131_072);
        var load = new ServerLoad(new Utilization(0.95, 0.95, 0.2), Thresholds.Default, capacity, default);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var plan = EvictionPlanner.Plan(load, guests);
        Assert.True(plan.Suffices);
        // Each sum that is tried is an object, so that this is the work it takes, however fast the machine is.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500_000_000);
    }

    [Fact]
    public void A_share_that_is_no_number_moves_nobody() => Assert.Same(EvictionPlan.Nobody, EvictionPlanner.Plan(
        new ServerLoad(new Utilization(double.NaN, double.NaN, 0), Thresholds.Default, Capacity, default), [new Guest("c", new Demand(1, 1))]));

    private static bool IsRelieved(ServerLoad load, IReadOnlyList<Guest> gone) =>
        Under(load.Utilization.Cpu, load.Thresholds, load.Leaving.CpuMillis + gone.Sum(g => g.Frees.CpuMillis), Capacity.CpuMillis)
        && Under(load.Utilization.Memory, load.Thresholds, load.Leaving.MemoryMiB + gone.Sum(g => g.Frees.MemoryMiB), Capacity.MemoryMiB);

    // A dimension counts only where the server is over its evict threshold.
    private static bool Under(double share, Thresholds thresholds, int freed, int capacity) =>
        share <= thresholds.Evict || share - (double)freed / capacity < thresholds.Admit;

    private static IEnumerable<List<Guest>> Subsets(IReadOnlyList<Guest> guests)
    {
        for (var chosen = 0; chosen < 1 << guests.Count; chosen++)
            yield return [.. guests.Where((_, i) => (chosen & (1 << i)) != 0)];
    }
}
