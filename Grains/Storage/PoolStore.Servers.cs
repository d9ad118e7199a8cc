using System.Text.Json;
using Hosting.Placement;
using Hosting.Servers;
using Npgsql;

namespace Hosting.Grains.Storage;

public sealed partial class PoolStore
{
    private const string ServerColumns = "region, name, cpu_millis, memory_mib, labels, cordoned, admit, evict, draining";

    /// <summary>Names of a region's servers, without the region, sorted.</summary>
    public Task<IReadOnlyList<string>> GetServers(string region, CancellationToken ct) =>
        Names(databases.Of(region), "SELECT name FROM server WHERE region = $1 ORDER BY name", ct, region);

    /// <summary>A server; null when there is none of that name.</summary>
    public Task<ServerRecord?> GetServer(string region, string name, CancellationToken ct) =>
        databases.Of(region).InTurn(() => ReadServer(region, name, ct), ct);

    private async Task<ServerRecord?> ReadServer(string region, string name, CancellationToken ct)
    {
        await using var command = Command(
            databases.Of(region), $"SELECT {ServerColumns} FROM server WHERE region = $1 AND name = $2", region, name);
        return (await ReadServers(command, ct).ConfigureAwait(false)).SingleOrDefault();
    }

    /// <summary>The VMs of a server, by name.</summary>
    public Task<IReadOnlyList<VmRecord>> GetVms(string region, string server, CancellationToken ct) =>
        databases.Of(region).InTurn(() => ReadVms(region, server, ct), ct);

    private async Task<IReadOnlyList<VmRecord>> ReadVms(string region, string server, CancellationToken ct)
    {
        await using var command = Command(
            databases.Of(region), $"SELECT {VmColumns} FROM vm WHERE region = $1 AND server = $2 ORDER BY name", region, server);
        return await ReadVms(command, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Stores what a server's agent says of it: capacity, labels and VMs. The operator's policy stays as it is. VMs no
    /// longer named are deleted, unless a container that is not over is placed on them.
    /// </summary>
    /// <returns>The server as it is stored now.</returns>
    /// <exception cref="InvalidOperationException">There is no such region.</exception>
    public Task<ServerRecord> UpsertServer(ServerRecord hello, IReadOnlyList<VmRecord> vms, CancellationToken ct) =>
        databases.Of(hello.Region).InTurn(() => Upsert(hello, vms, ct), ct);

    private async Task<ServerRecord> Upsert(ServerRecord hello, IReadOnlyList<VmRecord> vms, CancellationToken ct)
    {
        await using var connection = await databases.Of(hello.Region).Source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            var stored = await UpsertServer(connection, hello, ct).ConfigureAwait(false);
            await UpsertVms(connection, hello, vms, ct).ConfigureAwait(false);
            await DeleteOtherVms(connection, hello, vms, ct).ConfigureAwait(false);
            await transaction.CommitAsync(ct).ConfigureAwait(false);
            return stored;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            throw new InvalidOperationException(
                $"There is no region {hello.Region}: no silo serves it. Name it in a silo's regions, or correct the agent's.", e);
        }
    }

    /// <summary>Stores the operator's policy for a server, the whole of it. Only what is cordoned can be draining.</summary>
    /// <returns>The server as it is stored now; null when there is none of that name.</returns>
    public async Task<ServerRecord?> SetServerPolicy(
        string region, string name, bool cordoned, bool draining, Thresholds? thresholds, CancellationToken ct)
    {
        await using var command = Command(databases.Of(region), $"""
            UPDATE server SET cordoned = $3, draining = $4, admit = $5::double precision, evict = $6::double precision
            WHERE region = $1 AND name = $2
            RETURNING {ServerColumns}
            """, region, name, cordoned, draining, thresholds?.Admit, thresholds?.Evict);
        return (await ReadServers(command, ct).ConfigureAwait(false)).SingleOrDefault();
    }

    private static async Task<ServerRecord> UpsertServer(NpgsqlConnection connection, ServerRecord hello, CancellationToken ct)
    {
        await using var command = Command(connection, $"""
            INSERT INTO server (region, name, cpu_millis, memory_mib, labels) VALUES ($1, $2, $3, $4, $5::jsonb)
            ON CONFLICT (region, name) DO UPDATE
            SET cpu_millis = excluded.cpu_millis, memory_mib = excluded.memory_mib, labels = excluded.labels
            RETURNING {ServerColumns}
            """, hello.Region, hello.Name, hello.CpuMillis, hello.MemoryMiB, JsonSerializer.Serialize(hello.Labels));
        return (await ReadServers(command, ct).ConfigureAwait(false)).Single();
    }

    private static async Task<IReadOnlyList<ServerRecord>> ReadServers(NpgsqlConnection connection, string region, CancellationToken ct)
    {
        await using var command = Command(connection, $"SELECT {ServerColumns} FROM server WHERE region = $1 ORDER BY name", region);
        return await ReadServers(command, ct).ConfigureAwait(false);
    }

    private static async Task<List<ServerRecord>> ReadServers(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var servers = new List<ServerRecord>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            servers.Add(new ServerRecord
            {
                Region = reader.GetString(0),
                Name = reader.GetString(1),
                CpuMillis = reader.GetInt32(2),
                MemoryMiB = reader.GetInt32(3),
                Labels = JsonSerializer.Deserialize<Dictionary<string, string>>(reader.GetString(4)) ?? [],
                Cordoned = reader.GetBoolean(5),
                Thresholds = reader.IsDBNull(6) ? null : new Thresholds(reader.GetDouble(6), reader.GetDouble(7)),
                Draining = reader.GetBoolean(8),
            });
        return servers;
    }
}
