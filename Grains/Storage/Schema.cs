using System.Reflection;
using DbUp;
using DbUp.Engine.Output;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>The database schema: numbered scripts, each applied once, in the order of their names.</summary>
public static class Schema
{
    // Any number that nothing else locks on in this database.
    private const long Lock = 0x486F7374696E67;

    /// <summary>
    /// Applies the scripts that the database has not seen yet, each in a transaction of its own. Safe to run from several
    /// processes at once: one works, the others wait for it and find nothing to do.
    /// </summary>
    /// <exception cref="InvalidOperationException">A script failed; the message names it. Nothing of that script was kept.</exception>
    public static async Task Apply(string connectionString, CancellationToken cancellationToken)
    {
        // Not pooled: the lock must end with this call, and no idle session should stay behind.
        var settings = Connections.Reach(connectionString, commandSeconds: 120);
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var acquire = new NpgsqlCommand($"SELECT pg_advisory_lock({Lock})", connection);
        await acquire.ExecuteNonQueryAsync(cancellationToken);
        Upgrade(settings.ConnectionString);
    }

    private static void Upgrade(string connectionString)
    {
        var result = DeployChanges.To.PostgresqlDatabase(connectionString)
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => name.EndsWith(".sql", StringComparison.Ordinal))
            .JournalToPostgresqlTable("public", "schema_version")
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .LogTo(new NoOpUpgradeLog())
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
            throw new InvalidOperationException(
                $"The database schema could not be brought up to date: {result.ErrorScript?.Name ?? "its journal"}: {result.Error.Message}",
                result.Error);
    }
}
