using Hosting.Servers;
using Npgsql;

namespace Hosting.Grains.Storage;

public sealed partial class PoolStore
{
    private const string VmColumns = "region, server, name, driver, cpu_millis, memory_mib, cordoned, draining";

    /// <summary>Stores the operator's policy for a VM, the whole of it. Only what is cordoned can be draining.</summary>
    /// <returns>The VM as it is stored now; null when there is none of that name.</returns>
    public async Task<VmRecord?> SetVmPolicy(string region, string server, string name, bool cordoned, bool draining, CancellationToken ct)
    {
        await using var command = Command(databases.Of(region), $"""
            UPDATE vm SET cordoned = $4, draining = $5 WHERE region = $1 AND server = $2 AND name = $3
            RETURNING {VmColumns}
            """, region, server, name, cordoned, draining);
        return (await ReadVms(command, ct).ConfigureAwait(false)).SingleOrDefault();
    }

    /// <summary>Stores what VMs offer now. Unknown ones are ignored.</summary>
    public async Task ResizeVms(string region, string server, IReadOnlyList<VmRecord> vms, CancellationToken ct)
    {
        await using var command = Command(databases.Of(region), """
            UPDATE vm SET cpu_millis = v.cpu_millis, memory_mib = v.memory_mib
            FROM unnest($3::text[], $4::integer[], $5::integer[]) v (name, cpu_millis, memory_mib)
            WHERE vm.region = $1 AND vm.server = $2 AND vm.name = v.name
            """, region, server, vms.Select(vm => vm.Name).ToArray(),
            vms.Select(vm => vm.CpuMillis).ToArray(), vms.Select(vm => vm.MemoryMiB).ToArray());
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task UpsertVms(
        NpgsqlConnection connection, ServerRecord server, IReadOnlyList<VmRecord> vms, CancellationToken ct)
    {
        await using var command = Command(connection, """
            INSERT INTO vm (region, server, name, driver, cpu_millis, memory_mib)
            SELECT $1, $2, v.* FROM unnest($3::text[], $4::text[], $5::integer[], $6::integer[]) v
            ON CONFLICT (region, server, name) DO UPDATE
            SET driver = excluded.driver, cpu_millis = excluded.cpu_millis, memory_mib = excluded.memory_mib
            """, server.Region, server.Name,
            vms.Select(vm => vm.Name).ToArray(), vms.Select(vm => vm.Driver).ToArray(),
            vms.Select(vm => vm.CpuMillis).ToArray(), vms.Select(vm => vm.MemoryMiB).ToArray());
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task DeleteOtherVms(
        NpgsqlConnection connection, ServerRecord server, IReadOnlyList<VmRecord> vms, CancellationToken ct)
    {
        await using var command = Command(connection, """
            DELETE FROM vm v WHERE v.region = $1 AND v.server = $2 AND v.name <> ALL ($3)
              AND NOT EXISTS (
                SELECT FROM container c
                WHERE c.region = v.region AND c.server = v.server AND c.vm = v.name AND c.ended_at IS NULL)
            """, server.Region, server.Name, vms.Select(vm => vm.Name).ToArray());
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<VmRecord>> ReadVms(NpgsqlConnection connection, string region, CancellationToken ct)
    {
        await using var command = Command(connection, $"SELECT {VmColumns} FROM vm WHERE region = $1 ORDER BY server, name", region);
        return await ReadVms(command, ct).ConfigureAwait(false);
    }

    private static async Task<List<VmRecord>> ReadVms(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var vms = new List<VmRecord>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            vms.Add(new VmRecord
            {
                Region = reader.GetString(0),
                Server = reader.GetString(1),
                Name = reader.GetString(2),
                Driver = reader.GetString(3),
                CpuMillis = reader.GetInt32(4),
                MemoryMiB = reader.GetInt32(5),
                Cordoned = reader.GetBoolean(6),
                Draining = reader.GetBoolean(7),
            });
        return vms;
    }
}
