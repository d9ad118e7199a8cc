using Hosting.Placement;
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
}
