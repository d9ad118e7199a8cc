using System.Threading.Channels;
using Hosting.Placement;
using Npgsql;

namespace Hosting.Grains.Storage;

public sealed partial class PoolStore
{
    /// <summary>Deployment records, the newest first. Of a region that is named in the filter all, else of the databases that answer.</summary>
    public async Task<IReadOnlyList<ContainerRecord>> GetContainers(ContainerFilter filter, CancellationToken ct) =>
        (await FindContainers(filter, ct).ConfigureAwait(false)).Records;

    /// <summary>Deployment records, the newest first, and the databases whose records are missing because they do not answer.</summary>
    public async Task<(IReadOnlyList<ContainerRecord> Records, IReadOnlyList<string> Missing)> FindContainers(ContainerFilter filter, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(filter.Limit);
        var (answers, missing) = await databases.Ask(filter.Region, database => GetContainers(database, filter, ct)).ConfigureAwait(false);
        if (answers.Count == 1)
            return (answers[0], missing);
        var newest = answers.SelectMany(records => records).OrderByDescending(record => record.CreatedAt).ThenBy(record => record.Id, StringComparer.Ordinal);
        return ([.. newest.Take(filter.Limit)], missing);
    }

    /// <summary>All deployment records of a server that are not over, the newest first; cheap also when thousands of servers are asked for at once.</summary>
    public Task<IReadOnlyList<ContainerRecord>> GetLive(string region, string server, CancellationToken ct) => databases.Of(region).Live.Read(region, server, ct);

    /// <summary>One deployment record, over or not; null when there is none of that id.</summary>
    /// <exception cref="StorageUnavailableException">No database that answers has it.</exception>
    public async Task<ContainerRecord?> GetContainer(string id, CancellationToken ct)
    {
        var (answers, missing) = await databases.Ask(null, database => GetContainer(database, id, ct)).ConfigureAwait(false);
        var found = answers.OfType<ContainerRecord>().FirstOrDefault();
        return found is null && missing.Count > 0
            ? throw new StorageUnavailableException($"Container {id} is nowhere to be found, but {string.Join(" and ", missing)} did not answer.", null)
            : found;
    }

    /// <summary>Deletes records that ended before a time, those beyond a number of ended ones, and events before a time.</summary>
    /// <param name="endedBefore">Records that ended before it go.</param>
    /// <param name="keepEnded">Of the records that are over, at most this many stay in each database, the newest.</param>
    /// <param name="eventsBefore">Events before it go.</param>
    /// <param name="ct">Gives up; what was deleted until then may stay deleted.</param>
    /// <returns>Rows deleted.</returns>
    public async Task<int> Prune(DateTimeOffset endedBefore, int keepEnded, DateTimeOffset eventsBefore, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keepEnded);
        return (await Task.WhenAll(databases.All.Select(database => Prune(database, endedBefore, keepEnded, eventsBefore, ct))).ConfigureAwait(false)).Sum();
    }

    private static async Task<IReadOnlyList<ContainerRecord>> GetContainers(Database database, ContainerFilter filter, CancellationToken ct)
    {
        await using var command = Command(database, "");
        // Each way to say it is the condition of one index: by app, or by server.
        var live = filter.IncludeOver ? "" : filter.App is null ? "AND ended_at IS NULL" : "AND coalesce(ended_at, 'infinity') = 'infinity'";
        command.CommandText = $"""
            SELECT {ContainerReader.Columns} FROM container
            WHERE true {live} {Equal(command, "region", filter.Region)} {Equal(command, "server", filter.Server)}
              {Equal(command, "vm", filter.Vm)} {Equal(command, "app", filter.App)}
            ORDER BY created_at DESC, id LIMIT {Math.Min(filter.Limit, 1_000_000)}
            """;
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await new ContainerReader(reader).ReadAll(ct).ConfigureAwait(false);
    }

    private static async Task<ContainerRecord?> GetContainer(Database database, string id, CancellationToken ct)
    {
        await using var command = Command(database, $"SELECT {ContainerReader.Columns} FROM container WHERE id = $1", id);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return (await new ContainerReader(reader).ReadAll(ct).ConfigureAwait(false)).SingleOrDefault();
    }

    private static async Task<int> Prune(
        Database database, DateTimeOffset endedBefore, int keepEnded, DateTimeOffset eventsBefore, CancellationToken ct)
    {
        await using var containers = Command(database, """
            DELETE FROM container WHERE ended_at < greatest($1,
              (SELECT ended_at FROM container WHERE ended_at IS NOT NULL ORDER BY ended_at DESC OFFSET $2 - 1 LIMIT 1))
            """, endedBefore.UtcDateTime, Math.Max(keepEnded, 1));
        await using var events = Command(database, "DELETE FROM event WHERE at < $1", eventsBefore.UtcDateTime);
        containers.CommandTimeout = events.CommandTimeout = LongSeconds;
        return await containers.ExecuteNonQueryAsync(ct).ConfigureAwait(false) + await events.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Never throws: a failure is that of those who read the batches.</summary>
    private static async Task ReadPlaced(NpgsqlConnection connection, string region, ChannelWriter<IReadOnlyList<ContainerRecord>> batches, CancellationToken ct)
    {
        try
        {
            await ReadPlacedBatches(connection, region, batches, ct).ConfigureAwait(false);
            batches.Complete();
        }
        catch (Exception failure)
        {
            batches.Complete(failure);
        }
    }

    private static async Task ReadPlacedBatches(
        NpgsqlConnection connection, string region, ChannelWriter<IReadOnlyList<ContainerRecord>> batches, CancellationToken ct)
    {
        await using var command = Command(
            connection, $"SELECT {PlacedReader.Columns} FROM container WHERE region = $1 AND ended_at IS NULL", region);
        command.CommandTimeout = LongSeconds;
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var placed = new PlacedReader(reader, region);
        while (await placed.Read(ct).ConfigureAwait(false) is { Count: > 0 } batch)
            await batches.WriteAsync(batch, ct).ConfigureAwait(false);
    }

    private static string Equal(NpgsqlCommand command, string column, string? value)
    {
        if (value is null)
            return "";
        command.Parameters.Add(new NpgsqlParameter { Value = value });
        return $"AND {column} = ${command.Parameters.Count}";
    }
}
