using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>The statements of a batch: at most one of a kind, all in one round trip and one transaction.</summary>
internal static class WriteStatements
{
    // The lock on the region's row lasts until the commit, so an epoch cannot be raised between the check and the commit.
    private const string Fence = """
        fence AS MATERIALIZED (
          SELECT f.n, f.region
          FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS f(region, epoch, n)
          JOIN region r ON r.name = f.region AND r.placement_epoch = f.epoch
          FOR SHARE OF r
        )
        """;

    private const string InsertText = $"""
        WITH {Fence}, inserted AS (
          INSERT INTO container (id, app, revision, region, server, vm, cpu_millis, memory_mib, state, healthy, endpoint, reason,
            created_at, started_at)
          SELECT c.id, c.app, c.revision, f.region, c.server, c.vm, c.cpu_millis, c.memory_mib, c.state, c.healthy, c.endpoint,
            c.reason, c.created_at, c.started_at
          FROM unnest($3::integer[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::integer[], $10::integer[],
              $11::smallint[], $12::boolean[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
            AS c(fence, id, app, revision, server, vm, cpu_millis, memory_mib, state, healthy, endpoint, reason, created_at, started_at)
          JOIN fence f ON f.n = c.fence
        )
        SELECT n::integer FROM fence
        """;

    // Rows are found by their key and in no other way, or a plan made while the table was small goes through all of it for every row of a
    // batch once it has grown. Hence an array of one: an index can use that, no other join can. Hence the state, too, which no index has a
    // condition on: below Stopped are those that are not over.
    private const string EndText = $"""
        WITH {Fence}, ended AS (
          UPDATE container c SET state = e.state, healthy = false, reason = e.reason, ended_at = e.at
          FROM unnest($3::integer[], $4::text[], $5::smallint[], $6::text[], $7::timestamptz[]) AS e(fence, id, state, reason, at)
          JOIN fence f ON f.n = e.fence
          WHERE c.id = ANY (ARRAY[e.id]) AND c.region = f.region AND c.state < 4
        )
        SELECT n::integer FROM fence
        """;

    private const string UpdateText = """
        UPDATE container c
        SET state = u.state, healthy = u.healthy, endpoint = u.endpoint, reason = u.reason, started_at = u.started_at
        FROM unnest($1::text[], $2::smallint[], $3::boolean[], $4::text[], $5::text[], $6::timestamptz[])
          AS u(id, state, healthy, endpoint, reason, started_at)
        WHERE c.id = ANY (ARRAY[u.id]) AND c.state < 4 AND c.state <= u.state
        """;

    public static NpgsqlBatchCommand Insert(Fences fences, IReadOnlyList<WriteCall> calls)
    {
        var c = calls.SelectMany(call => call.Records).ToArray();
        return Command(InsertText,
            fences.Regions, fences.Epochs, fences.OfRows(calls),
            Column(c, r => r.Id), Column(c, r => r.App), Column(c, r => r.Revision), Column(c, r => r.Server), Column(c, r => r.Vm),
            Column(c, r => r.Demand.CpuMillis), Column(c, r => r.Demand.MemoryMiB),
            Column(c, r => (short)r.State), Column(c, r => r.Healthy), Column(c, r => r.Endpoint), Column(c, r => r.Reason),
            Column(c, r => r.CreatedAt.ToUniversalTime()), Column(c, r => r.StartedAt?.ToUniversalTime()));
    }

    public static NpgsqlBatchCommand End(Fences fences, IReadOnlyList<WriteCall> calls)
    {
        var e = calls.SelectMany(call => call.Releases).ToArray();
        return Command(EndText,
            fences.Regions, fences.Epochs, fences.OfRows(calls),
            Column(e, r => r.Id), Column(e, r => (short)r.State), Column(e, r => r.Reason),
            calls.SelectMany(call => Enumerable.Repeat(call.At.ToUniversalTime(), call.Rows)).ToArray());
    }

    public static NpgsqlBatchCommand Update(IReadOnlyList<WriteCall> calls)
    {
        var u = calls.SelectMany(call => call.Records).ToArray();
        return Command(UpdateText,
            Column(u, r => r.Id), Column(u, r => (short)r.State), Column(u, r => r.Healthy), Column(u, r => r.Endpoint),
            Column(u, r => r.Reason), Column(u, r => r.StartedAt?.ToUniversalTime()));
    }

    private static TValue[] Column<TRow, TValue>(TRow[] rows, Converter<TRow, TValue> value) => Array.ConvertAll(rows, value);

    private static NpgsqlBatchCommand Command(string text, params ReadOnlySpan<Array> columns)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var column in columns)
            command.Parameters.Add(new NpgsqlParameter { Value = column });
        return command;
    }
}

/// <summary>The distinct pairs of region and epoch that the calls of a batch hold.</summary>
internal sealed class Fences
{
    private readonly Dictionary<(string Region, long Epoch), int> numbers = [];

    public Fences(IEnumerable<WriteCall> calls)
    {
        foreach (var call in calls.Where(call => call.Kind != WriteKind.Update))
            numbers.TryAdd((call.Region, call.Epoch), numbers.Count + 1);
        Regions = [.. numbers.Keys.Select(key => key.Region)];
        Epochs = [.. numbers.Keys.Select(key => key.Epoch)];
    }

    public string[] Regions { get; }

    public long[] Epochs { get; }

    /// <summary>The number of a call's pair, counted from 1.</summary>
    public int Of(WriteCall call) => numbers[(call.Region, call.Epoch)];

    public int[] OfRows(IEnumerable<WriteCall> calls) =>
        [.. calls.SelectMany(call => Enumerable.Repeat(Of(call), call.Rows))];
}
