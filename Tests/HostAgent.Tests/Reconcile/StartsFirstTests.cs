using Hosting.HostAgent.Reconcile;

namespace Hosting.HostAgent.Tests.Reconcile;

public class StartsFirstTests
{
    private readonly ManualTime _time = new();
    private readonly StartsFirst _startsFirst;

    public StartsFirstTests() => _startsFirst = new StartsFirst(_time);

    [Fact]
    public void Nobody_waits_where_nothing_is_started() => Assert.True(_startsFirst.MayStop(TimeSpan.Zero));

    [Fact]
    public void Who_is_stopped_waits_for_starts_and_for_the_next_one_of_a_rollout()
    {
        var (one, two) = (_startsFirst.Starting(), _startsFirst.Starting());
        one.Dispose();
        _time.Advance(1);
        Assert.False(_startsFirst.MayStop(TimeSpan.Zero));
        two.Dispose();
        _time.Advance(0.1);
        Assert.False(_startsFirst.MayStop(TimeSpan.Zero));
        _time.Advance(0.11);
        Assert.True(_startsFirst.MayStop(TimeSpan.Zero));
    }

    [Fact]
    public void Nobody_waits_longer_than_3_s()
    {
        using var start = _startsFirst.Starting();
        Assert.False(_startsFirst.MayStop(TimeSpan.FromSeconds(2.9)));
        Assert.True(_startsFirst.MayStop(TimeSpan.FromSeconds(3)));
    }
}
