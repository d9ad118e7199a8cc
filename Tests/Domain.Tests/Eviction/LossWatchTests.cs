using Hosting.Domain.Eviction;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Eviction;

public class LossWatchTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(10);

    [Fact]
    public void Silence_counts_from_the_last_word()
    {
        var watch = new LossWatch(Start);
        watch.Hear([], At(100));
        Assert.False(watch.IsLost(LostAfter, At(109.9)));
        Assert.True(watch.IsLost(LostAfter, At(110)));
        watch.Hear([], At(111));
        Assert.False(watch.IsLost(LostAfter, At(112)));
    }

    [Fact]
    public void A_new_watch_gives_agents_time_to_find_the_control_plane_again()
    {
        var watch = new LossWatch(Start);
        Assert.False(watch.IsLost(TimeSpan.FromSeconds(4), At(14.9)));
        Assert.True(watch.IsLost(TimeSpan.FromSeconds(4), At(15)));
        Assert.False(watch.IsLost(TimeSpan.FromSeconds(60), At(59)));
        Assert.True(watch.IsLost(TimeSpan.FromSeconds(60), At(60)));
    }

    [Fact]
    public void A_vm_is_lost_when_its_engine_has_not_answered_for_as_long()
    {
        var watch = new LossWatch(Start);
        watch.Offer([Vm("vm-1"), Vm("vm-2")], At(0));
        for (var i = 1; i <= 20; i++)
            watch.Hear([new VmReport("vm-1", true, 0, null), new VmReport("vm-2", i < 5, 0, "the engine died")], At(i));
        Assert.Null(watch.WhyLost("vm-1", LostAfter, At(20)));
        Assert.Null(watch.WhyLost("vm-2", LostAfter, At(14)));
        Assert.Equal("VM vm-2 has not been ready for 10 s: the engine died", watch.WhyLost("vm-2", LostAfter, At(15)));
        watch.Hear([new VmReport("vm-2", true, 0, null)], At(21));
        Assert.Null(watch.WhyLost("vm-2", LostAfter, At(21)));
    }

    [Fact]
    public void A_vm_that_is_gone_for_good_is_lost_at_once()
    {
        var watch = new LossWatch(Start);
        watch.Offer([Vm("vm-1"), Vm("vm-2")], At(0));
        watch.Hear([new VmReport("vm-1", false, 0, "its disk is broken", Gone: true)], At(1));
        Assert.Equal("VM vm-1 is gone: its disk is broken", watch.WhyLost("vm-1", LostAfter, At(1)));
        watch.Offer([Vm("vm-1")], At(2));
        Assert.Equal("VM vm-2 is gone: its agent no longer offers it", watch.WhyLost("vm-2", LostAfter, At(2)));
        Assert.Null(watch.WhyLost("vm-1", LostAfter, At(2)));
    }

    [Fact]
    public void Silence_of_the_agent_is_not_held_against_its_vms()
    {
        var watch = new LossWatch(Start);
        watch.Offer([Vm("vm-1", ready: false)], At(0));
        watch.Hear([new VmReport("vm-1", false, 0, null)], At(9));
        Assert.Null(watch.WhyLost("vm-1", LostAfter, At(18.9)));
        Assert.NotNull(watch.WhyLost("vm-1", LostAfter, At(19)));
    }

    private static DateTimeOffset At(double seconds) => Start.AddSeconds(seconds);

    private static VmRecord Vm(string name, bool ready = true) =>
        new() { Region = "eu-1", Server = "srv-1", Name = name, Driver = "nested", CpuMillis = 1_000, MemoryMiB = 1_024, Ready = ready };
}
