namespace Hosting.Placement;

/// <summary>
/// A region's placement for many callers of one process. What they ask for while a call is under way goes together in the
/// next one: nobody waits for others to come, and under load a call carries hundreds of requests instead of one. Each
/// request is still decided and answered by itself. Thread-safe.
/// </summary>
/// <param name="placement">The region's placement.</param>
public sealed class PlacementCalls(IPlacementGrain placement)
{
    private readonly GroupedCalls<PlacementRequest, PlacementResult> _place = new(placement.PlaceEach, request => request.Count, IPlacementGrain.MaxReplicas);
    private readonly GroupedCalls<ContainerRelease, bool> _release = new(async releases =>
    {
        await placement.Release(releases);
        return new bool[releases.Count];
    }, _ => 1, IPlacementGrain.MaxReplicas);

    /// <summary>As <see cref="IPlacementGrain.Place"/>.</summary>
    /// <exception cref="InvalidOperationException">Too many requests wait already; try again later.</exception>
    public Task<PlacementResult> Place(PlacementRequest request) => _place.Call(request);

    /// <summary>As <see cref="IPlacementGrain.Release"/>, for one container.</summary>
    /// <exception cref="InvalidOperationException">Too many requests wait already; try again later.</exception>
    public Task Release(ContainerRelease release) => _release.Call(release);
}
