namespace Hosting.Grains.Storage;

public sealed partial class PoolStore
{
    /// <summary>
    /// Makes sure that the regions exist, here and in their own databases, and that everybody agrees on which have one.
    /// </summary>
    /// <returns>What is wrong with the configuration, for people; nothing was changed for those regions.</returns>
    public async Task<IReadOnlyList<string>> AddRegions(IReadOnlyList<string> names, CancellationToken ct = default)
    {
        var errors = new List<string>();
        foreach (var name in names)
        {
            await Add(databases.Shared, name, ct).ConfigureAwait(false);
            var own = databases.Of(name);
            if (!await Settle(name, own != databases.Shared, ct).ConfigureAwait(false))
                errors.Add(own == databases.Shared
                    ? $"Region {name} has a database of its own: give this silo its connection string, ConnectionStrings:Region:{name}."
                    : $"ConnectionStrings:Region:{name}: the region's servers and containers are in the shared database already. Take it out, or move them first.");
            else if (own != databases.Shared)
                await Add(own, name, ct).ConfigureAwait(false);
        }
        return errors;
    }

    private static async Task Add(Database database, string region, CancellationToken ct)
    {
        await using var command = Command(database, "INSERT INTO region (name) VALUES ($1) ON CONFLICT DO NOTHING", region);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>A region gets a database of its own as long as it has no servers; from then on for ever.</summary>
    private async Task<bool> Settle(string region, bool own, CancellationToken ct)
    {
        await using var command = Command(databases.Shared, """
            UPDATE region SET own_database = $2
            WHERE name = $1 AND (own_database = $2 OR ($2 AND NOT EXISTS (SELECT FROM server WHERE region = $1)))
            """, region, own);
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0;
    }
}
