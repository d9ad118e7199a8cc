using System.Data;
using System.Threading.Channels;
using Hosting.Placement;
using Hosting.Servers;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>Regions, servers, VMs and the reading of deployment records. Every call ends within seconds or throws.</summary>
/// <remarks>Every method throws <see cref="NpgsqlException"/> when PostgreSQL does not answer; all are safe to repeat.</remarks>
public sealed partial class PoolStore(Databases databases)
{
    // Loading a region and pruning are the ones that may take longer than the pool's deadline.
    private const int LongSeconds = 60;
    private const int BatchesAhead = 8;

    /// <summary>Names of all regions, sorted; the shared database knows them.</summary>
    public Task<IReadOnlyList<string>> GetRegions(CancellationToken ct = default) => Names(databases.Shared, "SELECT name FROM region ORDER BY name", ct);

    /// <summary>
    /// Takes the ledger of a region over: answers its new placement epoch. From now on every commit that carries an older
    /// one is refused. Adds the region if there is none.
    /// </summary>
    public async Task<long> RaiseEpoch(string region, CancellationToken ct)
    {
        await using var command = Command(databases.Of(region), """
            INSERT INTO region AS r (name, placement_epoch) VALUES ($1, 1)
            ON CONFLICT (name) DO UPDATE SET placement_epoch = r.placement_epoch + 1
            RETURNING placement_epoch
            """, region);
        return (long)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }

    /// <summary>
    /// Everything of a region that is not over, as of one moment, for its matching. Deployment records come in no order, without health, endpoint and reason,
    /// some thousand at a time: taking them in costs as much as reading them, so the next are read meanwhile.
    /// </summary>
    /// <param name="region">Its name.</param>
    /// <param name="offers">Takes the servers, by name, and their VMs, by server and name. Called once, first.</param>
    /// <param name="placed">Takes some of the deployment records. Called by one thread at a time.</param>
    /// <param name="ct">Deadline of the caller.</param>
    public async Task LoadRegion(
        string region, Action<IReadOnlyList<ServerRecord>, IReadOnlyList<VmRecord>> offers, Action<IReadOnlyList<ContainerRecord>> placed, CancellationToken ct)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var connection = await databases.Of(region).Source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var moment = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct).ConfigureAwait(false);
        await ReadWhole(connection, ct).ConfigureAwait(false);
        var servers = await ReadServers(connection, region, ct).ConfigureAwait(false);
        var vms = await ReadVms(connection, region, ct).ConfigureAwait(false);
        var batches = Channel.CreateBounded<IReadOnlyList<ContainerRecord>>(BatchesAhead);
        var reading = ReadPlaced(connection, region, batches.Writer, failed.Token);
        try
        {
            offers(servers, vms);
            await foreach (var batch in batches.Reader.ReadAllAsync(ct).ConfigureAwait(false))
                placed(batch);
        }
        finally
        {
            await failed.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The one that does not look for keys: see the settings of the connections.
    private static async Task ReadWhole(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = Command(connection, "SET LOCAL enable_seqscan = on");
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static NpgsqlCommand Command(Database database, string text, params ReadOnlySpan<object?> values) =>
        Fill(database.Source.CreateCommand(text), values);

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text, params ReadOnlySpan<object?> values) =>
        Fill(new NpgsqlCommand(text, connection), values);

    private static NpgsqlCommand Fill(NpgsqlCommand command, ReadOnlySpan<object?> values)
    {
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    private static async Task<IReadOnlyList<string>> Names(Database database, string text, CancellationToken ct, params object?[] values)
    {
        await using var command = Command(database, text, values);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var names = new List<string>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            names.Add(reader.GetString(0));
        return names;
    }
}
