using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>Registration of the stores.</summary>
public static class StorageServices
{
    /// <summary>
    /// Adds <see cref="DeploymentStore"/>, <see cref="PoolStore"/> and <see cref="EventLog"/> over one connection pool for
    /// each database, and gives every grain type documents of its own.
    /// </summary>
    /// <param name="services">Where to add them.</param>
    /// <param name="connectionString">The shared database.</param>
    /// <param name="regional">Connection strings of the regions that have a database of their own.</param>
    public static IServiceCollection AddHostingStorage(
        this IServiceCollection services, string connectionString, IReadOnlyDictionary<string, string>? regional = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new StorageOptions());
        services.AddSingleton(_ => new Databases(connectionString, regional));
        services.AddSingleton<PoolStore>();
        services.AddSingleton<DeploymentStore>();
        services.AddSingleton<EventLog>();
        services.AddSingleton<IPersistentStateFactory, GrainDocuments>();
        return services;
    }

    /// <summary>
    /// A connection pool with the settings the stores are written for. They find rows by their keys, but a plan that was
    /// prepared while a table was small would read all of it, until statistics are new: 80 times slower was measured.
    /// And planning every batch of deployment records anew is a seventh of what PostgreSQL does for it.
    /// </summary>
    /// <param name="connectionString">Where the database is.</param>
    /// <param name="connections">Most connections at once; null for what the connection string says, or else 100.</param>
    public static NpgsqlDataSource CreateDataSource(string connectionString, int? connections = null)
    {
        var settings = Connections.Settings(connectionString);
        settings.MaxPoolSize = connections ?? settings.MaxPoolSize;
        settings.MinPoolSize = Math.Min(settings.MinPoolSize, settings.MaxPoolSize);
        settings.ApplicationName = "hosting";
        settings.MaxAutoPrepare = 30;
        settings.AutoPrepareMinUsages = 2;
        // Nothing here sets session state, so returning a connection needs no round trip.
        settings.NoResetOnClose = true;
        settings.ReadBufferSize = 32 * 1024;
        settings.Options += " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan";
        return NpgsqlDataSource.Create(settings);
    }
}
