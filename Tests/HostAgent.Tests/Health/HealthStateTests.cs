using CsCheck;
using Hosting.HostAgent.Health;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Health;

public sealed class HealthStateTests
{
    private static readonly HealthRules Rules = HealthRules.From(new HealthCheck
    {
        Path = "/", IntervalSeconds = 2, TimeoutSeconds = 1, HealthyAfter = 2, UnhealthyAfter = 3, GracePeriodSeconds = 10,
    });

    [Fact]
    public void It_takes_as_many_passed_checks_in_a_row_as_wanted()
    {
        var one = Pass(default);
        Assert.False(one.Healthy);
        Assert.False(Fail(one).Healthy);
        Assert.False(Pass(Fail(one)).Healthy);
        Assert.True(Pass(Pass(Fail(one))).Healthy);
    }

    [Fact]
    public void It_takes_as_many_failed_checks_in_a_row_as_wanted_and_the_reason_is_kept()
    {
        var healthy = Pass(Pass(default));
        Assert.True(Fail(Fail(healthy)).Healthy);
        Assert.True(Fail(Pass(Fail(Fail(healthy)))).Healthy);
        var sick = Fail(Fail(Fail(healthy)));
        Assert.False(sick.Healthy);
        Assert.Equal("down", sick.Reason);
    }

    [Fact]
    public void In_its_grace_a_failure_is_no_news_until_it_was_healthy_once()
    {
        Assert.Null(default(HealthState).After(Rules, "refused", TimeSpan.FromSeconds(1)).Reason);
        var healthy = Pass(Pass(default));
        for (var i = 0; i < 3; i++)
            healthy = healthy.After(Rules, "refused", TimeSpan.FromSeconds(1));
        Assert.False(healthy.Healthy);
    }

    [Fact]
    public void Random_checks_flip_it_exactly_when_the_row_is_long_enough() =>
        Gen.Bool.Array[0, 40].Sample(checks =>
        {
            var (state, expected, row) = (default(HealthState), false, 0);
            foreach (var passed in checks)
            {
                state = passed ? Pass(state) : Fail(state);
                row = passed == expected ? 0 : row + 1;
                if (row < (passed ? 2 : 3))
                    continue;
                (expected, row) = (passed, 0);
            }

            Assert.Equal(expected, state.Healthy);
            Assert.Equal(expected, state.Reason is null && state.Checked && state.Healthy);
        });

    [Fact]
    public void Checks_are_quick_until_it_is_healthy_and_never_slower_than_the_interval()
    {
        Assert.InRange(Rules.Delay(healthy: false, 0).TotalMilliseconds, 1, 10);
        Assert.InRange(Rules.Delay(healthy: false, 10).TotalMilliseconds, 5, 25);
        Assert.Equal(Rules.Interval, Rules.Delay(healthy: false, 10_000));
        Assert.Equal(Rules.Interval, Rules.Delay(healthy: true, 0));
    }

    private static HealthState Pass(HealthState state) => state.After(Rules, null, TimeSpan.FromSeconds(11));

    private static HealthState Fail(HealthState state) => state.After(Rules, "down", TimeSpan.FromSeconds(11));
}
