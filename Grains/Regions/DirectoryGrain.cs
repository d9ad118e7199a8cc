using Hosting.Grains.Storage;
using Hosting.Regions;
using Orleans.Concurrency;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Hosting.Grains.Regions;

[StatelessWorker, GrainType("directory")]
internal sealed class DirectoryGrain(PoolStore pool, ISiloMetadataCache metadata)
    : Grain, IDirectoryGrain
{
    public Task<IReadOnlyList<string>> GetApps() => pool.GetApps(CancellationToken.None);

    public Task<IReadOnlyList<string>> GetRegions() => pool.GetRegions(CancellationToken.None);

    public async Task<IReadOnlyList<string>> GetApiAddresses()
    {
        var silos = await GrainFactory.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
        return [.. silos.Keys
            .Select(silo => metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(GrainKeys.ApiMetadata))
            .OfType<string>()
            .Order(StringComparer.Ordinal)];
    }
}
