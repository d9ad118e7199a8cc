using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Elastic;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Elastic;

public sealed class FleetPlanTests : IDisposable
{
    private static readonly VmSettings Nested = new("vm-1", VmDriverKind.Nested, new Capacity(1000, 512));
    private static readonly VmSettings Real = new("vm-2", VmDriverKind.Qemu, new Capacity(1000, 512)) { DiskMiB = 1024 };
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-fleet-").FullName;

    [Fact]
    public void A_vm_that_is_not_wanted_goes_and_one_that_is_stays()
    {
        Assert.Null(FleetPlan.Next(Nested, [Real]));
        Assert.Equal(Nested, FleetPlan.Next(Nested, [Real, Nested]));
        Assert.Equal([Real], FleetPlan.Missing(["vm-1"], [Nested, Real]));
    }

    [Fact]
    public void Limits_change_in_place_and_a_machine_does_not()
    {
        var larger = new Capacity(2000, 1024);
        Assert.Equal(larger, FleetPlan.Next(Nested, [Nested with { Capacity = larger }])!.Capacity);
        Assert.Null(FleetPlan.Next(Real, [Real with { Capacity = larger }]));
        Assert.Null(FleetPlan.Next(Nested, [Nested with { Driver = VmDriverKind.Qemu }]));
        var foreign = new VmSettings("vm-3", VmDriverKind.Engine, larger, new Uri("tcp://10.0.0.1:2375"), "10.0.0.1");
        Assert.NotNull(FleetPlan.Next(foreign, [foreign with { Capacity = new Capacity(500, 256) }]));
        Assert.Null(FleetPlan.Next(foreign, [foreign with { Endpoint = new Uri("tcp://10.0.0.2:2375") }]));
    }

    [Fact]
    public void Only_a_vm_that_somebody_else_runs_is_dropped_without_having_been_removed()
    {
        var foreign = new VmSettings("vm-3", VmDriverKind.Engine, new Capacity(1000, 512), new Uri("tcp://10.0.0.1:2375"), "10.0.0.1");
        Assert.False(FleetPlan.IsGivenUp(foreign, FleetPlan.EmptiedWithin / 2));
        Assert.True(FleetPlan.IsGivenUp(foreign, FleetPlan.EmptiedWithin));
        Assert.False(FleetPlan.IsGivenUp(Nested, TimeSpan.FromDays(1)));
        Assert.False(FleetPlan.IsGivenUp(Real, TimeSpan.FromDays(1)));
    }

    [Fact]
    public void A_leaving_vm_goes_soon_when_it_is_empty_and_late_when_it_is_not()
    {
        Assert.False(FleetPlan.IsDue(FleetPlan.ToldAfter / 2, TimeSpan.Zero, containers: 0));
        Assert.True(FleetPlan.IsDue(FleetPlan.ToldAfter, TimeSpan.Zero, containers: 0));
        Assert.False(FleetPlan.IsDue(TimeSpan.FromDays(1), FleetPlan.EmptiedWithin / 2, containers: 1));
        Assert.True(FleetPlan.IsDue(TimeSpan.FromDays(1), FleetPlan.EmptiedWithin, containers: 1));
    }

    [Fact]
    public void What_a_vm_was_started_with_is_found_again()
    {
        var kept = new KeptSettings(_directory);
        var foreign = new VmSettings("vm-3", VmDriverKind.Engine, new Capacity(1, 2), new Uri("unix:///x"), "10.0.0.1");
        foreach (var vm in new[] { Nested, Real, foreign })
            kept.Write(vm);
        Directory.CreateDirectory(Path.Combine(_directory, "older"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_directory, "broken")).FullName, "settings.json"), "{");
        Assert.Equal([Nested, Real, foreign], kept.Read());
        kept.Forget("vm-1");
        kept.Forget("never-there");
        kept.Remove("vm-2");
        Assert.Equal([foreign], kept.Read());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
