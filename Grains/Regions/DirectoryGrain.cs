using Hosting.Grains.Storage;
using Hosting.Regions;
using Orleans.Concurrency;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Hosting.Grains.Regions;

[StatelessWorker, GrainType("directory")]
internal sealed class DirectoryGrain(PoolStore pool, ISiloMetadataCache metadata)
    : Grain, IDirectoryGrain
{
    private IReadOnlyList<string>? _regions;

    public Task<IReadOnlyList<string>> GetApps() => pool.GetApps(CancellationToken.None);

    /// <summary>Regions come and hardly ever go: while the shared database is away, those known last are better than none.</summary>
    public async Task<IReadOnlyList<string>> GetRegions()
    {
        try
        {
            return _regions = await pool.GetRegions(CancellationToken.None);
        }
        catch (Exception failure) when (_regions is not null && Transient.Is(failure))
        {
            return _regions;
        }
    }

    public async Task<IReadOnlyList<string>> GetApiAddresses()
    {
        var silos = await GrainFactory.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
        return [.. silos.Keys
            .Select(silo => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(GrainKeys.ApiMetadata))
            .OfType<string>()
            .Order(StringComparer.Ordinal)];
    }
}
