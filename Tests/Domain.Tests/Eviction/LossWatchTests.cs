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

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Nothing_is_lost_before_the_rest_is_over_and_something_is_right_after(int seed)
    {
        var random = new Random(seed);
        for (var history = 0; history < 300; history++)
        {
            var lostAfter = TimeSpan.FromSeconds(random.Next(1, 30));
            var watch = new LossWatch(Start);
            var now = Start;
            for (var step = 0; step < 12; step++)
            {
                now += TimeSpan.FromMilliseconds(random.Next(1, random.Next(2) == 0 ? 1_000 : 20_000));
                if (random.Next(4) == 0) watch.Offer([Vm("vm-1", random.Next(2) == 0), Vm("vm-2")], now);
                else if (random.Next(3) > 0) watch.Hear([new VmReport("vm-1", random.Next(2) == 0, 0, null), new VmReport("vm-2", true, 0, null)], now);
                var rest = watch.Rest(lostAfter, now);
                Assert.True(rest > TimeSpan.Zero);
                if (rest == TimeSpan.MaxValue) rest = TimeSpan.FromHours(1);
                else Assert.NotEqual(What(watch, lostAfter, now), What(watch, lostAfter, now + rest));
                Assert.Equal(What(watch, lostAfter, now), What(watch, lostAfter, now + rest - TimeSpan.FromTicks(1)));
            }
        }
    }

    [Fact]
    public void A_report_is_news_after_silence_and_when_a_vm_is_not_what_it_was()
    {
        var watch = new LossWatch(Start);
        Assert.True(watch.Hear([Said()], At(4)));
        Assert.False(watch.Hear([Said()], At(5)));
        Assert.True(watch.Hear([Said(ready: false)], At(6)));
        Assert.False(watch.Hear([Said(ready: false)], At(7)));
        Assert.True(watch.Hear([Said(ready: false, gone: true)], At(8)));
        Assert.True(watch.Hear([Said()], At(9)));
        Assert.True(watch.Hear([Said()], At(12)));
    }

    private static (bool Suspect, bool Lost, bool Vm1, bool Vm2) What(LossWatch watch, TimeSpan lostAfter, DateTimeOffset at) =>
        (watch.Silence(at) >= LossWatch.SuspectAfter, watch.IsLost(lostAfter, at),
            watch.WhyLost("vm-1", lostAfter, at) is not null, watch.WhyLost("vm-2", lostAfter, at) is not null);

    private static VmReport Said(bool ready = true, bool gone = false) => new("vm-1", ready, 0, null, gone);

    private static DateTimeOffset At(double seconds) => Start.AddSeconds(seconds);

    private static VmRecord Vm(string name, bool ready = true) =>
        new() { Region = "eu-1", Server = "srv-1", Name = name, Driver = "nested", CpuMillis = 1_000, MemoryMiB = 1_024, Ready = ready };
}
