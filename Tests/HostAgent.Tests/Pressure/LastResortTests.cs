using CsCheck;
using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Pressure;

public sealed class LastResortTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Plight Fine = new(Memory: 0.5, Limit: 0.97, Evict: 0.8, EvictAfter: TimeSpan.FromSeconds(5), IsAlone: false);

    private static readonly Gen<ContainerUsage[]> Containers = Gen.Select(Gen.Int[1, 500], Gen.Int[0, 1000])
        .Array[0, 10].Select(all => all.Select((one, i) => Of($"c-{i}", one.Item1, one.Item2)).ToArray());

    [Fact]
    public void Memory_that_is_nearly_gone_is_acted_on_at_the_second_look_also_beside_the_control_plane()
    {
        var gone = Fine with { Memory = 0.98 };
        var (state, first) = default(LastResort).Next(gone, Start);
        var (_, second) = state.Next(gone, Start.AddSeconds(0.5));
        Assert.Null(first);
        Assert.Equal("stopped by its server: memory 0.98 over 0.97", second!.Reason);
        Assert.Equal(0.92, second.Target, 6);
        Assert.Equal(0, second.GraceSeconds);
    }

    [Fact]
    public void A_spike_is_forgotten()
    {
        var state = default(LastResort);
        for (var i = 0; i < 20; i++)
        {
            (state, var verdict) = state.Next(Fine with { Memory = i % 2 == 0 ? 0.98 : 0.9 }, Start.AddSeconds(i * 0.5));
            Assert.Null(verdict);
        }
    }

    [Fact]
    public void Over_the_evict_threshold_is_the_control_planes_matter_while_there_is_one() =>
        Assert.Empty(Verdicts(Fine with { Memory = 0.9 }, seconds: 60));

    [Fact]
    public void Alone_it_acts_when_memory_is_over_the_threshold_for_long_enough_and_no_sooner_again_than_memory_comes_back()
    {
        var verdicts = Verdicts(Fine with { Memory = 0.9, IsAlone = true }, seconds: 12);
        Assert.Equal([5.0, 9.0], verdicts.Select(one => one.Seconds));
        Assert.Equal("stopped by its server: memory 0.90 over 0.80 for 5 s with the control plane away", verdicts[0].Verdict.Reason);
        Assert.Equal(0.8, verdicts[0].Verdict.Target);
        Assert.Equal(2, verdicts[0].Verdict.GraceSeconds);
    }

    [Fact]
    public void The_fewest_that_suffice_go_and_never_fewer() =>
        Gen.Select(Containers, Gen.Int[1, 3000]).Sample((containers, needed) =>
        {
            var chosen = LastResort.Choose(containers, needed);
            Assert.Equal(chosen.Count, chosen.Distinct().Count());
            Assert.All(chosen, one => Assert.Contains(one, containers));
            if (containers.Sum(one => one.MemoryMiB) < needed)
                Assert.Equal(containers.Length, chosen.Count);
            else
                Assert.True(chosen.Sum(one => one.MemoryMiB) >= needed);
            Assert.True(containers.Select(one => one.MemoryMiB).OrderDescending().Take(chosen.Count - 1).Sum() < needed);
        });

    [Fact]
    public void Of_equal_ones_the_youngest_goes_and_size_goes_before_youth()
    {
        var (old, young, large) = (Of("old", 100, 1), Of("young", 100, 9), Of("large", 300, 5));
        Assert.Equal([young], LastResort.Choose([old, young, large], 80));
        Assert.Equal([large], LastResort.Choose([old, young, large], 200));
        Assert.Equal([young, large], LastResort.Choose([old, young, large], 400));
        Assert.Empty(LastResort.Choose([old], 0));
    }

    private static ContainerUsage Of(string id, int memory, int age) =>
        new(new RunningContainer("vm-1", id, id, Start.AddSeconds(age), Leaving: false), 0, memory);

    private static List<(double Seconds, Verdict Verdict)> Verdicts(Plight plight, double seconds)
    {
        var (state, all) = (default(LastResort), new List<(double, Verdict)>());
        for (var at = 0.0; at <= seconds; at += 0.5)
        {
            (state, var verdict) = state.Next(plight, Start.AddSeconds(at));
            if (verdict is not null)
                all.Add((at, verdict));
        }

        return all;
    }
}
