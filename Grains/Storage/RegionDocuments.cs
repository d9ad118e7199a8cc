using Hosting.Regions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Hosting.Grains.Storage;

/// <summary>
/// Where documents of grains that are pinned to a region lie: in the region's own database, if it has one, so that the
/// region can work while the shared one is away; else where all others do.
/// </summary>
public sealed class RegionDocuments(IServiceProvider services) : IGrainStorage
{
    /// <summary>Name of this storage, for <see cref="PersistentStateAttribute"/>.</summary>
    public const string Name = "region";

    /// <summary>Name of the storage over a region's own database.</summary>
    public static string Own(string region) => $"{Name}:{region}";

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Of(grainId).ReadStateAsync(stateName, grainId, grainState);

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Of(grainId).WriteStateAsync(stateName, grainId, grainState);

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Of(grainId).ClearStateAsync(stateName, grainId, grainState);

    private IGrainStorage Of(GrainId grain)
    {
        var region = GrainKeys.RegionOf(grain.Key.ToString()!).ToString();
        return services.GetKeyedService<IGrainStorage>(Own(region)) ?? services.GetRequiredKeyedService<IGrainStorage>("Default");
    }
}
