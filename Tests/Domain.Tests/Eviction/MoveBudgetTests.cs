using CsCheck;
using Hosting.Domain.Eviction;
using Hosting.Regions;

namespace Hosting.Domain.Tests.Eviction;

public class MoveBudgetTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(5);

    [Fact]
    public void Never_more_at_once_nor_in_a_minute_than_the_policy_says() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 12], Gen.Select(Gen.Int[0, 40], Gen.Int[0, 2_500], Gen.Int[0, 3]).Array[1, 300]).Sample((atOnce, perMinute, steps) =>
        {
            var policy = new RegionPolicy { MovesAtOnce = atOnce, MovesPerMinute = perMinute };
            var budget = new MoveBudget(Hold);
            var underWay = new Dictionary<string, DateTimeOffset>();
            var begun = new List<DateTimeOffset>();
            var now = Start;
            foreach (var (which, milliseconds, kind) in steps)
            {
                now = now.AddMilliseconds(milliseconds);
                var container = $"c-{which}";
                foreach (var (silent, asked) in underWay)
                    if (now - asked > Hold) underWay.Remove(silent);
                if (kind == 0)
                {
                    budget.End(container);
                    underWay.Remove(container);
                    continue;
                }
                var known = underWay.ContainsKey(container);
                var room = underWay.Count < atOnce && begun.Count(b => now - b < TimeSpan.FromMinutes(1)) < perMinute;
                Assert.Equal(known || room, budget.TryBegin(container, policy, urgent: false, now));
                if (known || room) underWay[container] = now;
                if (!known && room) begun.Add(now);
                Assert.Equal(underWay.Count, budget.UnderWay);
                Assert.True(underWay.Count <= atOnce);
            }
        });

    [Fact]
    public void Memory_nearly_gone_does_not_wait()
    {
        var policy = new RegionPolicy { MovesAtOnce = 1, MovesPerMinute = 1 };
        var budget = new MoveBudget(Hold);
        Assert.True(budget.TryBegin("a", policy, urgent: false, Start));
        Assert.False(budget.TryBegin("b", policy, urgent: false, Start));
        Assert.True(budget.TryBegin("b", policy, urgent: true, Start));
    }

    [Fact]
    public void What_takes_over_listens_for_the_moves_under_way_before_it_lets_one_begin()
    {
        var policy = new RegionPolicy { MovesAtOnce = 1 };
        var budget = new MoveBudget(Hold, after: Start);
        Assert.False(budget.TryBegin("b", policy, urgent: false, Start));
        budget.Resume("a", Start.AddSeconds(4));
        Assert.False(budget.TryBegin("b", policy, urgent: false, Start + Hold));
        budget.End("a");
        Assert.True(budget.TryBegin("b", policy, urgent: false, Start + Hold));
    }

    [Fact]
    public void Moves_that_an_earlier_budget_let_begin_take_their_places_in_the_next()
    {
        var policy = new RegionPolicy { MovesAtOnce = 2 };
        var budget = new MoveBudget(Hold);
        budget.Resume("a", Start);
        budget.Resume("b", Start);
        Assert.False(budget.TryBegin("c", policy, urgent: false, Start));
        budget.End("a");
        Assert.True(budget.TryBegin("c", policy, urgent: false, Start));
    }
}
