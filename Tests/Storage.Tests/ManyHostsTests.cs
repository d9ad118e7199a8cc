using Hosting.Grains.Storage;
using Hosting.Support;
using Npgsql;

namespace Hosting.Storage.Tests;

/// <summary>A connection string that names several machines, of which one takes writes.</summary>
public sealed class ManyHostsTests(Postgres postgres)
{
    [Fact]
    public async Task The_one_that_takes_writes_is_found_among_those_that_are_gone_or_stand_by()
    {
        var writable = await postgres.Server.CreateDatabase();
        var database = new NpgsqlConnectionStringBuilder(writable).Database;
        await using var standby = await PostgresServer.Start(fsync: false, "default_transaction_read_only=on");
        var all = $"Host=127.0.0.1:{Ports.Free()},127.0.0.1:{standby.Port},127.0.0.1:{postgres.Server.Port};"
            + $"Username=postgres;Database={database};Target Session Attributes=read-write;Timeout=5";
        await using (var setUp = NpgsqlDataSource.Create(standby.ConnectionString + ";Options=-c default_transaction_read_only=off"))
        await using (var create = setUp.CreateCommand("CREATE DATABASE " + database))
            await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await Schema.Apply(all, TestContext.Current.CancellationToken);
        await using var stores = new Stores(all);
        var epoch = await stores.Pool.RaiseEpoch("eu-1", default);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => stores.Deployments.Insert("eu-1", epoch, [Stores.Container("eu-1", $"many-{i}")], default)));

        await using var direct = new Stores(writable);
        Assert.Equal(20, (await direct.Pool.GetContainers(new(), default)).Count);
    }
}
