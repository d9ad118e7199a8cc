using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>One attempt to write a batch.</summary>
internal static class WriteExecution
{
    private const string CountInserted = """
        SELECT count(*) FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS c(id, app, server, vm)
        JOIN container k ON k.id = c.id AND k.region = $1 AND k.app = c.app AND k.server = c.server AND k.vm = c.vm
        """;

    private const string CountEnded = "SELECT count(*) FROM container WHERE id = ANY($2) AND region = $1 AND ended_at IS NOT NULL";

    /// <summary>Writes the calls in one transaction. Answers the numbers of the fences that held; the others' calls changed nothing.</summary>
    public static async Task<HashSet<int>> Run(
        NpgsqlConnection connection, List<WriteCall> calls, Fences fences, CancellationToken cancellationToken)
    {
        var inserts = calls.FindAll(call => call.Kind == WriteKind.Insert);
        var updates = calls.FindAll(call => call.Kind == WriteKind.Update);
        var ends = calls.FindAll(call => call.Kind == WriteKind.End);
        await using var batch = new NpgsqlBatch(connection);
        if (inserts.Count > 0)
            batch.BatchCommands.Add(WriteStatements.Insert(fences, inserts));
        if (updates.Count > 0)
            batch.BatchCommands.Add(WriteStatements.Update(updates));
        if (ends.Count > 0)
            batch.BatchCommands.Add(WriteStatements.End(fences, ends));

        var held = new HashSet<int>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        do
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                held.Add(reader.GetInt32(0));
        }
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false));
        return held;
    }

    /// <summary>Whether an insert's or end's rows are in the database as this call would have written them.</summary>
    public static async Task<bool> IsDone(NpgsqlConnection connection, WriteCall call, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(call.Kind == WriteKind.Insert ? CountInserted : CountEnded, connection);
        Add(command, call.Region);
        if (call.Kind == WriteKind.Insert)
        {
            Add(command, call.Records.Select(record => record.Id).ToArray());
            Add(command, call.Records.Select(record => record.App).ToArray());
            Add(command, call.Records.Select(record => record.Server).ToArray());
            Add(command, call.Records.Select(record => record.Vm).ToArray());
        }
        else
        {
            Add(command, call.Releases.Select(release => release.Id).ToArray());
        }

        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is long count && count == call.Rows;
    }

    private static void Add(NpgsqlCommand command, object value) => command.Parameters.Add(new NpgsqlParameter { Value = value });
}
