using CsCheck;
using Hosting.Domain.Checks;
using Hosting.Servers;

namespace Hosting.Domain.Tests.Checks;

public class PrimaryVerdictTests
{
    private static readonly DateTimeOffset Begun = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<CheckWindow> Windows = Gen.Select(Gen.Double[0, 1], Gen.Double[0, 20], Gen.Int[0, 4_000], (wait, late, cpu) => new CheckWindow(wait, late, cpu));

    private static readonly Gen<List<CheckPair>> Pairs = Gen.Select(Windows, Windows, (held, free) => new CheckPair(held, free)).List[PrimaryVerdict.LeastPairs, 20];

    [Fact]
    public void What_is_the_same_with_and_without_the_vms_is_not_felt() => Pairs.Sample(pairs =>
    {
        var same = Of(pairs.Select(pair => new CheckPair(pair.Held, pair.Held with { ContainersCpuMillis = 500 })));
        Assert.Equal((CheckState.Done, CheckVerdict.NotFelt), (same.State, same.Verdict));
    });

    [Fact]
    public void More_than_is_allowed_in_every_pair_alike_is_felt_however_much_the_load_changes() => Gen.Select(Pairs, Gen.Bool, Gen.Double[0.01, 1]).Sample((pairs, wait, above) =>
    {
        var shifted = Of(pairs.Select(pair => new CheckPair(pair.Held, wait
            ? pair.Held with { PrimaryWait = pair.Held.PrimaryWait + Allowed(pairs, one => one.PrimaryWait!.Value, PrimaryVerdict.WaitTimesMore, PrimaryVerdict.WaitUnfelt) + above }
            : pair.Held with { WakeupMillis = pair.Held.WakeupMillis + Allowed(pairs, one => one.WakeupMillis, PrimaryVerdict.WakeupTimesMore, PrimaryVerdict.WakeupUnfelt) + above })));
        Assert.Equal(CheckVerdict.Felt, shifted.Verdict);
    });

    [Fact]
    public void The_order_of_the_pairs_does_not_matter() => Pairs.Sample(pairs =>
        Assert.Equal(Of(pairs) with { Pairs = [] }, Of(pairs.AsEnumerable().Reverse()) with { Pairs = [] }));

    [Fact]
    public void What_gets_worse_by_as_much_everywhere_is_never_felt_less() => Gen.Select(Pairs, Gen.Double[0, 5]).Sample((pairs, worse) =>
    {
        var busy = pairs.Select(pair => pair with { Free = pair.Free with { ContainersCpuMillis = 500 } }).ToList();
        var after = Of(busy.Select(pair => pair with { Free = pair.Free with { WakeupMillis = pair.Free.WakeupMillis + worse } }));
        Assert.True(Rank(after.Verdict) >= Rank(Of(busy).Verdict));
    });

    [Fact]
    public void Differences_that_differ_more_among_themselves_than_the_limit_say_nothing()
    {
        var check = Of(Enumerable.Range(0, 10).Select(i => new CheckPair(new(0.1, 0.1, 20), new(0.1, i % 2 == 0 ? 0.1 : 9, 900))));
        Assert.Equal(CheckVerdict.CannotTell, check.Verdict);
        Assert.StartsWith("too much noise (", check.Reason, StringComparison.Ordinal);
        Assert.Contains("give or take 4.45, and 0.50 ms are allowed", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Containers_that_hardly_ran_were_not_felt_by_merit()
    {
        var check = Of(Enumerable.Repeat(new CheckPair(new(0.1, 0.1, 5), new(0.1, 0.1, PrimaryVerdict.LeastContainersCpuMillis - 1)), 10));
        Assert.Equal(CheckVerdict.CannotTell, check.Verdict);
        Assert.Contains("its containers used 49 m CPU", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Vms_that_are_not_behind_the_primary_are_felt_whatever_was_measured() => Pairs.Sample(pairs =>
        Assert.Equal(CheckVerdict.Felt, PrimaryVerdict.Of(Running, new CheckMeasured(pairs, Unprotected: "cpu.idle is 0"), Begun).Verdict));

    [Fact]
    public void A_primary_that_hardly_ran_leaves_the_wake_ups()
    {
        var check = Of(Enumerable.Repeat(new CheckPair(new(null, 0.1, 5), new(null, 0.1, 900)), 10));
        Assert.Null(check.PrimaryWait);
        Assert.Equal(CheckVerdict.NotFelt, check.Verdict);
        Assert.StartsWith("its primary hardly ran; wake-ups come 0.00 ms later", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_measured_has_no_verdict()
    {
        var none = PrimaryVerdict.Of(Running, new CheckMeasured([], Failure: "no container runs on it"), Begun.AddSeconds(1));
        Assert.Equal((CheckState.Failed, null, "no container runs on it", Begun.AddSeconds(1)), (none.State, none.Verdict, none.Reason, none.FinishedAt));
        var few = Of(Enumerable.Repeat(new CheckPair(new(0.1, 0.1, 5), new(0.1, 0.1, 900)), PrimaryVerdict.LeastPairs - 1));
        Assert.Equal((CheckState.Failed, null), (few.State, few.Verdict));
    }

    private static ServerCheck Running { get; } = new() { State = CheckState.Running, StartedAt = Begun };

    private static ServerCheck Of(IEnumerable<CheckPair> pairs) => PrimaryVerdict.Of(Running, new CheckMeasured([.. pairs]), Begun);

    private static double Allowed(IEnumerable<CheckPair> pairs, Func<CheckWindow, double> figure, double times, double unfelt)
    {
        var sorted = pairs.Select(pair => figure(pair.Held)).Order().ToList();
        return Math.Max((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2 * times, unfelt);
    }

    private static int Rank(CheckVerdict? verdict) => verdict switch { CheckVerdict.NotFelt => 0, CheckVerdict.CannotTell => 1, _ => 2 };
}
