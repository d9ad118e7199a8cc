using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Pressure;

public sealed class HeldBackTests
{
    private const int Capacity = 1000;
    private readonly HeldBack _heldBack = new();

    [Fact]
    public void Without_a_cap_nothing_is_held_back() => Assert.Null(_heldBack.Next(Measured(("a", 900)), null, Capacity));

    [Fact]
    public void Under_a_cap_they_miss_what_they_took_before()
    {
        _heldBack.Next(Measured(("a", 400), ("b", 100)), null, Capacity);
        var hold = _heldBack.Next(Measured(("a", 150), ("b", 50)), 200, Capacity);
        Assert.Equal((200, 250, 50), (hold!.CapMillis, hold.Millis["a"], hold.Millis["b"]));
        Assert.Equal(0.3, hold.Share);
        Assert.Equal(0.4, _heldBack.Next(Measured(("a", 80), ("b", 20)), 100, Capacity)!.Share);
    }

    [Fact]
    public void One_that_has_left_misses_nothing()
    {
        _heldBack.Next(Measured(("a", 400), ("b", 100)), null, Capacity);
        Assert.Equal(["b"], _heldBack.Next(Measured(("b", 50)), 50, Capacity)!.Millis.Keys);
    }

    [Fact]
    public void A_cap_that_they_do_not_come_near_takes_nothing()
    {
        _heldBack.Next(Measured(("a", 400)), null, Capacity);
        var hold = _heldBack.Next(Measured(("a", 50)), 300, Capacity);
        Assert.Equal((300, 0.0), (hold!.CapMillis, hold.Share));
        Assert.Empty(hold.Millis);
    }

    private static Measurement Measured(params (string Id, int CpuMillis)[] containers) => new(
        default, new UtilizationSample(0.5, 0.5, 0.1, containers.Sum(one => one.CpuMillis)),
        [.. containers.Select(one => new ContainerUsage(new RunningContainer("vm-1", one.Id, $"engine-{one.Id}", null, false), one.CpuMillis, 16))], null);
}
