using Hosting.Placement;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>Reads rows of <see cref="Columns"/>. Names that repeat from row to row share one string.</summary>
internal sealed class ContainerReader(NpgsqlDataReader reader)
{
    public const string Columns =
        "id, app, revision, region, server, vm, cpu_millis, memory_mib, state, healthy, endpoint, reason, created_at, started_at";

    private readonly HashSet<string> names = [];

    public async Task<List<ContainerRecord>> ReadAll(CancellationToken cancellationToken)
    {
        var records = new List<ContainerRecord>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            records.Add(Current());
        return records;
    }

    private ContainerRecord Current() => new()
    {
        Id = reader.GetString(0),
        App = Shared(1),
        Revision = reader.GetInt32(2),
        Region = Shared(3),
        Server = Shared(4),
        Vm = Shared(5),
        Demand = new Demand(reader.GetInt32(6), reader.GetInt32(7)),
        State = (ContainerState)reader.GetInt16(8),
        Healthy = reader.GetBoolean(9),
        Endpoint = reader.IsDBNull(10) ? null : reader.GetString(10),
        Reason = reader.IsDBNull(11) ? null : Shared(11),
        CreatedAt = Time(12),
        StartedAt = reader.IsDBNull(13) ? null : Time(13),
    };

    private DateTimeOffset Time(int column) => new(reader.GetDateTime(column), TimeSpan.Zero);

    private string Shared(int column)
    {
        var name = reader.GetString(column);
        if (names.TryGetValue(name, out var known))
            return known;
        names.Add(name);
        return name;
    }
}
