using Hosting.Grains.Storage;
using Hosting.Placement;
using Npgsql;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

/// <summary>
/// How PostgreSQL finds rows. A plan is made once for a connection, perhaps while a table is empty, and lasts until statistics are new: a
/// minute in which a crowd of containers may have come.
/// </summary>
public sealed class PlanTests(Postgres postgres) : IAsyncLifetime
{
    private const string Region = "eu-1";
    private Stores stores = null!;

    public async ValueTask InitializeAsync() => stores = new Stores(await postgres.CreateDatabase());

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(300, false)]
    [InlineData(300, true)]
    public async Task Deployment_records_are_found_by_their_index_however_few_there_are(int rows, bool analyzed)
    {
        await Fill(rows, analyzed);
        var record = Container(Region, "shop-1");
        var update = Call(WriteKind.Update, record);
        var end = Call(WriteKind.End, record);

        var updating = await Plan(WriteStatements.Update([update]).CommandText, 6);
        var ending = await Plan(WriteStatements.End(new Fences([end]), [end]).CommandText, 7);
        var reading = await Plan(LiveReader.Text, 1);

        Assert.Contains("Index Scan using container_pkey on container c", updating, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (id = ANY (ARRAY[u.id]))", updating, StringComparison.Ordinal);
        Assert.Contains("Index Scan using container_pkey on container c", ending, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (id = ANY (ARRAY[e.id]))", ending, StringComparison.Ordinal);
        Assert.Contains("container_live_vm", reading, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (server = ANY ($1))", reading, StringComparison.Ordinal);
    }

    private static WriteCall Call(WriteKind kind, ContainerRecord record) => new()
    {
        Kind = kind,
        Deadline = long.MaxValue,
        Cancellation = default,
        Region = Region,
        Records = [record],
        Releases = [new(record.Id, ContainerState.Stopped, null)],
    };

    private async Task Fill(int rows, bool analyzed)
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        if (rows > 0)
            await stores.Deployments.Insert(Region, epoch, [.. Enumerable.Range(1, rows).Select(i => Container(Region, $"shop-{i}", server: $"srv-{i % 10}"))], default);
        if (analyzed)
            await Execute("VACUUM ANALYZE container");
    }

    private async Task Execute(string sql)
    {
        await using var command = stores.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>As writers' connections plan it for any values.</summary>
    private async Task<string> Plan(string statement, int parameters)
    {
        await using var connection = await stores.Shared.Writes.OpenConnectionAsync();
        await using var prepare = new NpgsqlCommand($"PREPARE planned AS {statement}", connection);
        await prepare.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand($"EXPLAIN EXECUTE planned ({string.Join(", ", Enumerable.Repeat("NULL", parameters))})", connection);
        var lines = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                lines.Add(reader.GetString(0));
        }

        await using var forget = new NpgsqlCommand("DEALLOCATE planned", connection);
        await forget.ExecuteNonQueryAsync();
        return string.Join('\n', lines);
    }
}
