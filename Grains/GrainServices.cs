using Hosting.Grains.Placement;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Regions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Placement;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace Hosting.Grains;

/// <summary>What a silo needs to run the platform's grains.</summary>
public static class GrainServices
{
    /// <summary>Registers storage, region pinning and the keeper of the regions served.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="connectionString">The shared PostgreSQL, with the schema applied.</param>
    /// <param name="regional">PostgreSQL of the regions that have one of their own.</param>
    /// <param name="regions">Regions this silo serves.</param>
    /// <param name="apiAddress">Base address of this silo's HTTP API, for gateways.</param>
    public static ISiloBuilder AddHostingGrains(
        this ISiloBuilder silo, string connectionString, IReadOnlyDictionary<string, string> regional, IReadOnlyList<string> regions, string apiAddress)
    {
        silo.UseSiloMetadata(new Dictionary<string, string>
        {
            [GrainKeys.RegionsMetadata] = string.Join(',', regions),
            [GrainKeys.ApiMetadata] = apiAddress,
        });
        silo.Services.AddPlacementFilter<RegionPlacementFilterStrategy, RegionPlacementFilterDirector>(ServiceLifetime.Singleton);
        silo.Services.AddHostingStorage(connectionString, regional);
        silo.Services.AddGrainStorage(RegionDocuments.Name, (services, _) => new RegionDocuments(services));
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(new ServedRegions(regions));
        silo.Services.AddSingleton<ReportForwarder>();
        silo.Services.AddSingleton<RegionPolicies>();
        silo.Services.AddHostedService(services => services.GetRequiredService<ReportForwarder>());
        silo.Services.AddHostedService<RegionKeeper>();
        return silo;
    }
}
