using Hosting.Grains.Apps;

namespace Hosting.Silo.Tests;

public class RegionReachTests
{
    private readonly SetClock _clock = new();
    private readonly RegionReach _reach;
    private int _asked;

    public RegionReachTests() => _reach = new RegionReach(_clock);

    [Fact]
    public async Task A_region_that_did_not_answer_is_left_alone_for_a_moment_and_then_asked_again()
    {
        Assert.False((await _reach.Ask("eu-1", Fails)).Answered);
        Assert.False((await _reach.Ask("eu-1", Fails)).Answered);
        Assert.Equal(1, _asked);
        Assert.Equal((true, 7), await _reach.Ask("us-1", Answers));

        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Equal((true, 7), await _reach.Ask("eu-1", Answers));
        Assert.Equal((true, 7), await _reach.Ask("eu-1", Answers));
        Assert.Equal(4, _asked);
    }

    [Fact]
    public async Task What_fails_otherwise_is_the_callers_and_says_nothing_of_the_region()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _reach.Ask<int>("eu-1", () => throw new InvalidOperationException()));
        Assert.Equal((true, 7), await _reach.Ask("eu-1", Answers));
    }

    private Task<int> Answers()
    {
        _asked++;
        return Task.FromResult(7);
    }

    private Task<int> Fails()
    {
        _asked++;
        return Task.FromException<int>(new OrleansException("no silo of the region"));
    }
}
