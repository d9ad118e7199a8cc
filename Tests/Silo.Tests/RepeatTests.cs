using Hosting.Silo.Api;

namespace Hosting.Silo.Tests;

public sealed class RepeatTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_to_a_lost_silo_is_repeated()
    {
        var calls = 0;
        Assert.Equal(3, await Deadlines.Repeated(() => ++calls < 3 ? throw new SiloUnavailableException("gone") : Task.FromResult(calls), Cancel));
    }

    [Fact]
    public async Task What_would_fail_again_and_what_may_still_be_under_way_is_not()
    {
        foreach (var failure in new Exception[] { new SiloUnavailableException("Error from storage provider x"), new TimeoutException(), new OrleansException("no silo serves it") })
        {
            var calls = 0;
            Assert.Same(failure, await Record.ExceptionAsync(() => Deadlines.Repeated<int>(() => throw (++calls == 1 ? failure : new InvalidOperationException()), Cancel)));
        }
    }

    [Fact]
    public async Task The_longer_it_lasts_the_less_often_it_is_asked_again()
    {
        var calls = 0;
        await Assert.ThrowsAsync<SiloUnavailableException>(() => Deadlines.Repeated<int>(() => throw new SiloUnavailableException($"gone {++calls}"), Cancel));
        // In 5 s, after pauses of 0.05 s and more, of 0.1 and more, and of 0.2 and more from then on.
        Assert.InRange(calls, 2, 27);
    }

    [Fact]
    public void Every_mistake_in_the_tuning_is_named()
    {
        var errors = new List<string>();
        new ClusterTuning().Check(errors);
        Assert.Empty(errors);
        new ClusterTuning { ProbeTimeout = 0, MaxProbeTimeout = -1, MissedProbes = 0, Votes = 11, TableRefresh = 0, Alive = double.NaN, Call = 31, Waiting = 1 }.Check(errors);
        Assert.Equal(8, errors.Count);
    }
}
