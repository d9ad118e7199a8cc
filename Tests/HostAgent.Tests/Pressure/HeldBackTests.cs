using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Pressure;

public sealed class HeldBackTests
{
    private static readonly Capacity Server = new(1000, 1024);
    private static readonly VmSettings[] Vms = [new("vm-1", VmDriverKind.Nested, new Capacity(500, 256))];
    private readonly HeldBack _heldBack = new();

    [Fact]
    public void Without_a_cap_nothing_is_held_back() => Assert.Null(Next(null, ("a", 900)));

    [Fact]
    public void Under_a_cap_they_miss_what_they_took_before()
    {
        Next(null, ("a", 400), ("b", 100));
        var hold = Next(200, ("a", 150), ("b", 50));
        Assert.Equal((200, 250, 50), (hold!.CapMillis, hold.Millis["a"], hold.Millis["b"]));
        Assert.Equal(0.3, hold.Share);
        Assert.Equal(0.4, Next(100, ("a", 80), ("b", 20))!.Share);
    }

    [Fact]
    public void One_that_has_left_misses_nothing()
    {
        Next(null, ("a", 400), ("b", 100));
        Assert.Equal(["b"], Next(50, ("b", 50))!.Millis.Keys);
    }

    [Fact]
    public void A_cap_that_they_do_not_come_near_takes_nothing()
    {
        Next(null, ("a", 400));
        var hold = Next(300, ("a", 50));
        Assert.Equal((300, 0.0), (hold!.CapMillis, hold.Share));
        Assert.Empty(hold.Millis);
    }

    [Fact]
    public void One_that_never_ran_without_a_cap_would_take_another_step_of_it()
    {
        Assert.Equal(100, Next(200, ("new", 200))!.Millis["new"]);
    }

    [Fact]
    public void Nobody_would_take_more_than_its_VM_has()
    {
        Assert.Equal(50, Next(450, ("new", 450))!.Millis["new"]);
        Assert.Empty(Next(500, ("new", 500))!.Millis);
    }

    private Hold? Next(int? cap, params (string Id, int CpuMillis)[] containers) => _heldBack.Next(
        new Measurement(
            default, new UtilizationSample(0.5, 0.5, 0.1, containers.Sum(one => one.CpuMillis)),
            [.. containers.Select(one => new ContainerUsage(new RunningContainer("vm-1", one.Id, $"engine-{one.Id}", null, false), one.CpuMillis, 16))], null),
        cap, Server, Vms);
}
