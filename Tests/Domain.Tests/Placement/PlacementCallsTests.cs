using System.Reflection;
using Hosting.Placement;

namespace Hosting.Domain.Tests.Placement;

public sealed class PlacementCallsTests
{
    private readonly List<IReadOnlyList<PlacementRequest>> _made = [];
    private Func<IReadOnlyList<PlacementRequest>, Task<IReadOnlyList<PlacementResult>>> _answer =
        requests => Task.FromResult<IReadOnlyList<PlacementResult>>([.. requests.Select(Answer)]);

    [Fact]
    public async Task What_is_asked_while_calls_are_under_way_goes_together_and_everyone_gets_his_own_answer()
    {
        var open = new TaskCompletionSource();
        _answer = async requests =>
        {
            await open.Task;
            return [.. requests.Select(Answer)];
        };
        var calls = Calls();
        var asked = Enumerable.Range(0, 400).Select(n => (App: $"app-{n}", Answer: calls.Place(Request($"app-{n}", 1)))).ToList();
        open.SetResult();

        foreach (var (app, answer) in asked)
            Assert.Equal(app, (await answer).Refusal!.Message);
        Assert.InRange(_made.Count, 1, 8);
    }

    [Fact]
    public async Task A_call_that_fails_fails_its_callers_and_nobody_else()
    {
        var calls = Calls();
        var works = _answer;
        _answer = _ => throw new TimeoutException("no answer");
        await Assert.ThrowsAsync<TimeoutException>(() => calls.Place(Request("first", 1)));

        _answer = works;
        Assert.Equal("second", (await calls.Place(Request("second", 1))).Refusal!.Message);
    }

    [Fact]
    public async Task No_call_asks_for_more_than_a_call_may()
    {
        var calls = Calls();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(n => calls.Place(Request($"app-{n}", 1_000))));

        lock (_made)
            Assert.All(_made, requests => Assert.InRange(requests.Sum(r => r.Count), 1, IPlacementGrain.MaxReplicas));
    }

    private PlacementCalls Calls()
    {
        var grain = DispatchProxy.Create<IPlacementGrain, Grain>();
        ((Grain)grain).PlaceEach = requests =>
        {
            lock (_made)
                _made.Add(requests);
            return _answer(requests);
        };
        return new PlacementCalls(grain);
    }

    private static PlacementRequest Request(string app, int count) =>
        new() { App = app, Revision = 1, Demand = new Demand(10, 16), Count = count };

    private static PlacementResult Answer(PlacementRequest request) =>
        new() { Placed = [], Refusal = new PlacementRefusal { Vms = 0, Rules = [], Message = request.App } };

    /// <summary>A placement of which only one method is called.</summary>
    public class Grain : DispatchProxy
    {
        internal Func<IReadOnlyList<PlacementRequest>, Task<IReadOnlyList<PlacementResult>>> PlaceEach { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod?.Name switch
        {
            nameof(IPlacementGrain.PlaceEach) => PlaceEach((IReadOnlyList<PlacementRequest>)args![0]!),
            var other => throw new NotSupportedException(other),
        };
    }
}
