using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>The reading of events.</summary>
internal static class EventQuery
{
    public static NpgsqlCommand Create(NpgsqlDataSource source, EventFilter filter, long? after)
    {
        var command = source.CreateCommand();
        var conditions = Condition(command, "app =", filter.App) + Condition(command, "region =", filter.Region)
            + Condition(command, "server =", filter.Server) + Condition(command, "id >", after);
        command.CommandText = $"""
            SELECT * FROM (
              SELECT id, at, region, server, app, container, kind, message FROM event WHERE true{conditions}
              ORDER BY id {(after is null ? "DESC" : "ASC")} LIMIT {Math.Clamp(filter.Limit, 1, 10_000)}
            ) AS chosen ORDER BY id
            """;
        return command;
    }

    public static async Task<List<PlatformEvent>> ReadAll(NpgsqlDataReader reader, string database, CancellationToken ct)
    {
        var events = new List<PlatformEvent>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            events.Add(new PlatformEvent
            {
                Database = database,
                Id = reader.GetInt64(0),
                At = new DateTimeOffset(reader.GetDateTime(1), TimeSpan.Zero),
                Region = Text(reader, 2),
                Server = Text(reader, 3),
                App = Text(reader, 4),
                Container = Text(reader, 5),
                Kind = reader.GetString(6),
                Message = reader.GetString(7),
            });
        return events;
    }

    private static string Condition(NpgsqlCommand command, string comparison, object? value)
    {
        if (value is null)
            return "";
        command.Parameters.Add(new NpgsqlParameter { Value = value });
        return $" AND {comparison} ${command.Parameters.Count}";
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
