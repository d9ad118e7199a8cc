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
    public void Every_mistake_in_the_tuning_is_named()
    {
        var errors = new List<string>();
        new ClusterTuning().Check(errors);
        Assert.Empty(errors);
        new ClusterTuning { ProbeTimeout = 0, MaxProbeTimeout = -1, MissedProbes = 0, Votes = 11, TableRefresh = 0, Alive = double.NaN, Call = 31, Waiting = 1 }.Check(errors);
        Assert.Equal(8, errors.Count);
    }
}
