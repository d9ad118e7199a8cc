using Hosting.Placement;

namespace Hosting.Benchmarks.Placement;

/// <summary>Places, is refused, and releases: the calls of the measured callers.</summary>
/// <param name="region">Where.</param>
/// <param name="callers">How many callers at once.</param>
internal sealed class Replicas(BenchRegion region, int callers)
{
    private const int ReleasedAtOnce = 500;
    private const int StockedAtOnce = 8;

    private readonly PlacementCalls _calls = new(region.Placement);
    private readonly Stack<string>[] _placed = [.. Enumerable.Range(0, callers).Select(_ => new Stack<string>())];

    public Load Placing(int batch) => new(callers, async caller =>
    {
        var result = await _calls.Place(Demands.Request(Demands.Some(), batch));
        if (result.Refusal is { } refusal)
            throw new PreconditionException($"the region is full: {refusal.Message}");
        foreach (var container in result.Placed)
            _placed[caller].Push(container.Id);
        return batch;
    });

    public Load Refused(Func<Demand> demand) => new(callers, async _ =>
    {
        var result = await _calls.Place(Demands.Request(demand(), 1));
        return result.Refusal is not null ? 1 : throw new PreconditionException("the full region had room.");
    });

    /// <summary>Gives every caller so many more to release: releasing may be faster than placing was, and last longer.</summary>
    public Task Stock(int each) => Task.WhenAll(_placed.Chunk(callers / StockedAtOnce).Select(async stacks =>
    {
        foreach (var stack in stacks)
        {
            foreach (var container in (await region.Placement.Place(Demands.Request(Demands.Some(), each))).Placed)
                stack.Push(container.Id);
        }
    }));

    public Load Releasing() => new(callers, async caller =>
    {
        if (!_placed[caller].TryPop(out var container))
            return 0;
        await _calls.Release(Stopped(container));
        return 1;
    });

    /// <summary>Frees everything that is left.</summary>
    public Task ReleaseAll() => Task.WhenAll(_placed.SelectMany(stack => stack).Chunk(ReleasedAtOnce).Chunk(8).Select(async chunks =>
    {
        foreach (var chunk in chunks)
            await region.Placement.Release([.. chunk.Select(Stopped)]);
    }));

    private static ContainerRelease Stopped(string container) => new(container, ContainerState.Stopped, null);
}
