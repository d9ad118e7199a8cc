using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>Registration of the stores.</summary>
public static class StorageServices
{
    /// <summary>
    /// Adds <see cref="DeploymentStore"/>, <see cref="PoolStore"/> and <see cref="EventLog"/> over one connection pool, and
    /// gives every grain type documents of its own.
    /// </summary>
    public static IServiceCollection AddHostingStorage(this IServiceCollection services, string connectionString)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new StorageOptions());
        services.AddSingleton(_ => CreateDataSource(connectionString));
        services.AddSingleton<PoolStore>();
        services.AddSingleton<DeploymentStore>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<IPersistentStateFactory, GrainDocuments>();
        return services;
    }

    /// <summary>A connection pool with the settings the stores are written for.</summary>
    public static NpgsqlDataSource CreateDataSource(string connectionString) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "hosting",
            MaxAutoPrepare = 30,
            AutoPrepareMinUsages = 2,
            // Nothing here sets session state, so returning a connection needs no round trip.
            NoResetOnClose = true,
            ReadBufferSize = 32 * 1024,
            Timeout = 3,
            CommandTimeout = 5,
            CancellationTimeout = 1000,
        });
}
