using Hosting.Protocol;

namespace Hosting.HostAgent.Tests;

public class SteadyClockTests
{
    [Theory, InlineData(3_600), InlineData(-3_600)]
    public void A_clock_that_is_set_makes_no_time_pass_and_is_followed_slowly(int jump)
    {
        var machine = new SetTime();
        var clock = new SteadyClock(machine);
        var before = clock.GetUtcNow();
        machine.Set(jump);
        Assert.Equal(before, clock.GetUtcNow());

        for (var second = 1; second <= 100; second++)
        {
            machine.Pass(1);
            var now = clock.GetUtcNow();
            Assert.InRange((now - before).TotalSeconds, 0.98, 1.02);
            before = now;
        }
        for (var hour = 0; hour < 101; hour++)
            machine.Pass(3_600);
        Assert.Equal(machine.GetUtcNow(), clock.GetUtcNow());
    }

    [Fact]
    public void A_clock_that_is_only_a_little_off_is_followed_at_once()
    {
        var machine = new SetTime();
        var clock = new SteadyClock(machine);
        machine.Set(0.005);
        machine.Pass(1);
        Assert.Equal(machine.GetUtcNow(), clock.GetUtcNow());
    }

    /// <summary>A clock that somebody sets.</summary>
    private sealed class SetTime : TimeProvider
    {
        private TimeSpan _passed;
        private TimeSpan _set;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _passed + _set;

        public override long GetTimestamp() => _passed.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(double seconds) => _passed += TimeSpan.FromSeconds(seconds);

        public void Set(double seconds) => _set += TimeSpan.FromSeconds(seconds);
    }
}
