using Hosting.Placement;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>
/// Reads what a region's matching needs of its deployment records, half a million in about a second: few columns, and one
/// string for each name that repeats from row to row.
/// </summary>
internal sealed class PlacedReader(NpgsqlDataReader reader, string region)
{
    public const string Columns = "id, app, revision, server, vm, cpu_millis, memory_mib, state, created_at, started_at";

    private const int Batch = 4096;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The next of them; none when there are no more.</summary>
    public async Task<List<ContainerRecord>> Read(CancellationToken cancellationToken)
    {
        var records = new List<ContainerRecord>(Batch);
        while (records.Count < Batch && await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            records.Add(Current());
        return records;
    }

    private ContainerRecord Current() => new()
    {
        Id = reader.GetString(0),
        App = Shared(1),
        Revision = reader.GetInt32(2),
        Region = region,
        Server = Shared(3),
        Vm = Shared(4),
        Demand = new Demand(reader.GetInt32(5), reader.GetInt32(6)),
        State = (ContainerState)reader.GetInt16(7),
        CreatedAt = Time(8),
        StartedAt = reader.IsDBNull(9) ? null : Time(9),
    };

    private DateTimeOffset Time(int column) => new(reader.GetDateTime(column), TimeSpan.Zero);

    private string Shared(int column)
    {
        var name = reader.GetString(column);
        if (_names.TryGetValue(name, out var known))
            return known;
        _names.Add(name);
        return name;
    }
}
