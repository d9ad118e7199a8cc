using Hosting.Apps;
using Hosting.Placement;
using Hosting.Servers;
using Hosting.Support;
using Hosting.Vms;
using Orleans.Core.Internal;

namespace Hosting.Silo.Tests;

/// <summary>Grains of VMs that begin anew, and that miss a word.</summary>
public class VmGrainTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private static object Spec(string app, int replicas) => new
    {
        image = "shop:1", port = 80, replicas, cpuMillis = 10, memoryMiB = 16, regions = new[] { SiloUnderTest.Region }, constraints = new { only = app },
    };

    [Fact]
    public async Task A_VM_whose_grain_moved_alone_is_given_work_again()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "alone-1", vms: 1, change: h => h.Labels.Add("only", "alone"));
        await silo.Put("alone", Spec("alone", 1));
        await silo.Until("alone", s => (int)s["ready"]! == 1);

        await silo.Grains.GetGrain<IVmGrain>($"{SiloUnderTest.Region}/alone-1/vm-1").Cast<IGrainManagementExtension>().DeactivateOnIdle();
        await silo.Put("alone", Spec("alone", 3));

        await silo.Until("alone", s => (int)s["ready"]! == 3);
        Assert.Equal(3, agent.Running.Count);
    }

    [Fact]
    public async Task A_container_whose_VM_never_heard_of_it_is_drained_all_the_same()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "unheard-1", vms: 1, change: h => h.Labels.Add("only", "unheard"));
        await silo.Put("unheard", Spec("unheard", 1));
        await silo.Until("unheard", s => (int)s["ready"]! == 1);

        // As a commit whose answer is lost: durable, and nobody was told.
        var placed = await silo.Grains.GetGrain<IPlacementGrain>(SiloUnderTest.Region).Place(new PlacementRequest
        {
            App = "unheard", Revision = 1, Demand = new Demand(10, 16), Constraints = new Dictionary<string, string> { ["only"] = "unheard" },
        });
        await silo.Grains.GetGrain<IVmGrain>($"{SiloUnderTest.Region}/unheard-1/vm-1").Drain([placed.Placed[0].Id]);
        await silo.Grains.GetGrain<IVmGrain>($"{SiloUnderTest.Region}/unheard-1/vm-1").Stop([placed.Placed[0].Id]);

        await SiloUnderTest.Eventually(async () => (await silo.Get("/v1/containers")).AsArray().All(c => (string?)c!["id"] != placed.Placed[0].Id), "it is over");
    }

    [Fact]
    public async Task What_ended_while_its_agent_was_away_is_told_as_something_new()
    {
        await using var agent = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "away-1", vms: 1, change: h => h.Labels.Add("only", "away"));
        await silo.Put("away", Spec("away", 1));
        await silo.Until("away", s => (int)s["ready"]! == 1);
        var placement = silo.Grains.GetGrain<IPlacementGrain>(SiloUnderTest.Region);
        var placed = await placement.Place(new PlacementRequest
        {
            App = "away", Revision = 1, Demand = new Demand(10, 16), Constraints = new Dictionary<string, string> { ["only"] = "away" },
        });
        var vm = silo.Grains.GetGrain<IVmGrain>($"{SiloUnderTest.Region}/away-1/vm-1");
        await vm.Run(placed.Placed, new AppSpec { Image = "shop:1", Port = 80 });
        var before = await Told(vm);

        // As when its replacement was placed, and the word that it is over was lost.
        await placement.Release([new ContainerRelease(placed.Placed[0].Id, ContainerState.Failed, "lost")]);
        var after = await Told(vm);

        Assert.Contains(before.Containers, c => c.Id == placed.Placed[0].Id);
        Assert.DoesNotContain(after.Containers, c => c.Id == placed.Placed[0].Id);
        Assert.True(after.Version > before.Version, "an agent that missed it would not be told again");
    }

    /// <summary>What the VM's grain says to an agent that has just come.</summary>
    private async Task<DesiredVm> Told(IVmGrain vm)
    {
        var link = new Link();
        await vm.Attach(silo.Grains.CreateObjectReference<IAgentLink>(link), []);
        var told = await link.First.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        GC.KeepAlive(link);
        return told;
    }

    /// <summary>An agent that only listens.</summary>
    private sealed class Link : IAgentLink
    {
        public TaskCompletionSource<DesiredVm> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Apply(DesiredVm desired)
        {
            First.TrySetResult(desired);
            return Task.CompletedTask;
        }

        public Task Govern(ServerPolicy policy) => Task.CompletedTask;

        public Task ReadLogs(long request, LogRead read) => Task.CompletedTask;

        public Task CloseLogs(string reader) => Task.CompletedTask;

        public Task Check(long request) => Task.CompletedTask;

        public Task Close(string reason) => Task.CompletedTask;
    }
}
