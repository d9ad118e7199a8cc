using System.Collections.Concurrent;
using Hosting.Grains.Placement;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Silo.Tests;

/// <summary>Two activations of one region's placement, both at work on one database.</summary>
public class SplitRegionTests(SplitRegion split) : IClassFixture<SplitRegion>
{
    private const int Rounds = 30;
    private const int CallersOfASide = 6;

    private static PlacementRequest Request(string side, int cpu, int count = 1, bool allOrNothing = false) =>
        new() { App = side, Revision = 1, Demand = new Demand(cpu, 1), Count = count, AllOrNothing = allOrNothing };

    [Fact]
    public async Task The_older_activation_is_refused_steps_back_and_places_nothing_before_it_hears_from_servers_again()
    {
        var region = SplitRegion.Region(SplitRegion.Regions - 1);
        var vms = SplitRegion.Vms(region, "srv-1", 1000, 1000);
        await split.Connect("here", region, "srv-1", vms);
        var first = Assert.Single((await split.Placement("here", region).Place(Request("here", 600))).Placed);
        await split.Connect("there", region, "srv-1", vms);
        var second = Assert.Single((await split.Placement("there", region).Place(Request("there", 600))).Placed);
        Assert.NotEqual(first.Vm, second.Vm);

        // It still believes one VM to be empty; and it may not end what it placed either.
        await Assert.ThrowsAsync<PlacementFencedException>(() => split.Placement("here", region).Place(Request("here", 600)));
        Assert.Equal(Ids(first, second), (await split.Live(region)).Order());
        Assert.Equal(2, await split.Epoch(region));

        // The next call meets a new activation, which has read what is true and has heard from nobody.
        var server = Assert.Single(await split.Placement("here", region).GetServers());
        Assert.Equal(3, await split.Epoch(region));
        Assert.False(server.Online);
        Assert.All(server.Vms, vm => Assert.Equal((1, 400), (vm.Containers, vm.FreeCpuMillis)));
        Assert.Equal(PlacementRule.Offline, (await Refused("here", region)).Rules.Single().Rule);
        await split.Placement("here", region).Join(server.Server, vms);
        Assert.Equal(PlacementRule.Stale, (await Refused("here", region)).Rules.Single().Rule);

        // Now the other one is the older.
        await Assert.ThrowsAsync<PlacementFencedException>(
            () => split.Placement("there", region).Release([new ContainerRelease(second.Id, ContainerState.Stopped, null)]));
        Assert.Equal(Ids(first, second), (await split.Live(region)).Order());
        await split.Connect("here", region, "srv-1", vms);
        Assert.Single((await split.Placement("here", region).Place(Request("here", 300))).Placed);
    }

    [Fact]
    public async Task Two_activations_never_overcommit_and_never_both_commit()
    {
        var seed = Random.Shared.Next(1_000_000);
        for (var round = 0; round < Rounds; round++)
            await new Round(split, SplitRegion.Region(round), new Random(seed + round), $"seed {seed}, round {round}").Play();
        Assert.True(await split.Takeovers() > Rounds / 3, "the two sides hardly took turns: nothing was tried");
    }

    private async Task<PlacementRefusal> Refused(string side, string region)
    {
        var result = await split.Placement(side, region).Place(Request(side, 1));
        Assert.Empty(result.Placed);
        return result.Refusal!;
    }

    private static IEnumerable<string> Ids(params ContainerRecord[] records) => records.Select(r => r.Id).Order();

    /// <summary>A random region, filled by callers on both sides at once until each is refused for want of room.</summary>
    private sealed class Round(SplitRegion split, string region, Random random, string what)
    {
        private readonly ConcurrentDictionary<string, bool> _live = new();
        private readonly Dictionary<string, IReadOnlyList<VmRecord>> _servers = Enumerable.Range(1, random.Next(1, 4)).ToDictionary(
            number => $"srv-{number}",
            number => SplitRegion.Vms(region, $"srv-{number}", [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(3, 12) * 100)]));

        public async Task Play()
        {
            var callers = split.Sides.Keys.SelectMany(side => Enumerable.Repeat(side, CallersOfASide)).Select(side => Call(side, new Random(random.Next()))).ToList();
            await Task.WhenAll(callers);
            var promised = await split.Promised(region);
            foreach (var (server, vms) in _servers)
                foreach (var vm in vms)
                    Assert.True(promised.GetValueOrDefault($"{server}/{vm.Name}") <= vm.CpuMillis,
                        $"{what}: {server}/{vm.Name} offers {vm.CpuMillis} and {promised.GetValueOrDefault($"{server}/{vm.Name}")} are promised");
            Assert.Equal(_live.Keys.Order(), (await split.Live(region)).Order());
            var shared = await split.Shared(region);
            Assert.True(shared.Count == 0, $"{what}: both sides committed in epochs {string.Join(", ", shared)}");
        }

        private async Task Call(string side, Random chance)
        {
            var own = new List<string>();
            for (var attempt = 0; attempt < 12; attempt++)
            {
                try
                {
                    await Step(side, chance, own);
                }
                catch (PlacementFencedException)
                {
                    await Connect(side);
                }
            }
        }

        private async Task Step(string side, Random chance, List<string> own)
        {
            if (own.Count > 0 && chance.Next(4) == 0)
            {
                await split.Placement(side, region).Release([new ContainerRelease(own[0], ContainerState.Stopped, null)]);
                _live.Remove(own[0], out _);
                own.RemoveAt(0);
                return;
            }
            var result = await split.Placement(side, region).Place(Request(side, chance.Next(1, 5) * 100, chance.Next(1, 5), chance.Next(2) == 0));
            foreach (var record in result.Placed)
                _live[record.Id] = true;
            own.AddRange(result.Placed.Select(r => r.Id));
            // A new activation has heard from no server yet.
            if (result.Refusal?.Rules.Any(rule => rule.Rule == PlacementRule.Offline) is true || result.Refusal?.Vms == 0)
                await Connect(side);
        }

        private Task Connect(string side) => Task.WhenAll(_servers.Select(server => split.Connect(side, region, server.Key, server.Value)));
    }
}
