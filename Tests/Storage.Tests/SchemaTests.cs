using Hosting.Grains.Storage;
using Npgsql;

namespace Hosting.Storage.Tests;

public sealed class SchemaTests(Postgres postgres)
{
    [Fact]
    public async Task Several_processes_may_apply_it_at_once_and_again()
    {
        var database = await postgres.Server.CreateDatabase();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Schema.Apply(database, CancellationToken.None))));
        var scripts = await Count(database, "SELECT count(*) FROM schema_version");
        await Schema.Apply(database, CancellationToken.None);

        Assert.Equal(scripts, await Count(database, "SELECT count(*) FROM schema_version"));
        Assert.Equal(scripts, await Count(database, "SELECT count(DISTINCT scriptname) FROM schema_version"));
        Assert.Equal(0, await Count(database, "SELECT count(*) FROM container"));
    }

    [Fact]
    public async Task A_script_that_fails_is_named_and_leaves_nothing_behind()
    {
        var database = await postgres.Server.CreateDatabase();
        await Execute(database, "CREATE TABLE event (mine integer)");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => Schema.Apply(database, CancellationToken.None));

        Assert.Contains("0001_pool.sql", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, await Count(database, "SELECT count(*) FROM pg_tables WHERE tablename = 'region'"));
    }

    private static async Task<long> Count(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task Execute(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
