using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
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
        services.AddSingleton(provider => new DeploymentStore(
            CreateWriterSource(connectionString), provider.GetRequiredService<StorageOptions>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<DeploymentStore>>()));
        services.AddSingleton<EventLog>();
        services.AddSingleton<IPersistentStateFactory, GrainDocuments>();
        return services;
    }

    /// <summary>A connection pool with the settings the stores are written for.</summary>
    public static NpgsqlDataSource CreateDataSource(string connectionString) => NpgsqlDataSource.Create(Settings(connectionString));

    /// <summary>
    /// Connections for the writer of deployment records. It finds rows by their key only, but a plan that was prepared
    /// while the table was small would read all of it, for as long as the connection lives or until statistics are new;
    /// and planning anew every time costs a seventh of what PostgreSQL does for a batch.
    /// </summary>
    public static NpgsqlDataSource CreateWriterSource(string connectionString)
    {
        var settings = Settings(connectionString);
        settings.Options += " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan";
        return NpgsqlDataSource.Create(settings);
    }

    private static NpgsqlConnectionStringBuilder Settings(string connectionString) => new(connectionString)
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
    };
}
