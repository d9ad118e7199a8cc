using Hosting.Placement;
using Npgsql;
using static Hosting.Storage.Tests.Stores;

namespace Hosting.Storage.Tests;

/// <summary>Thousands of grains want something at once, as after the loss of a silo, and the pool of connections is far too small for all of them.</summary>
public sealed class CrowdTests(Postgres postgres) : IAsyncLifetime
{
    private const string Region = "eu-1";
    private const int Servers = 3_000;
    private const int Connections = 40;
    private Stores stores = null!;

    public async ValueTask InitializeAsync()
    {
        var few = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabase()) { MaxPoolSize = Connections };
        stores = new Stores(few.ConnectionString);
        await stores.Pool.AddRegions([Region, "us-1"]);
    }

    public ValueTask DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public async Task Looks_at_many_servers_share_statements_and_each_gets_its_own_records()
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        await stores.Deployments.Insert(Region, epoch, [.. Enumerable.Range(0, Servers).Select(n => Container(Region, $"shop-{n}", server: $"srv-{n}"))], default);
        await stores.Deployments.End(Region, epoch, [new ContainerRelease("shop-7", ContainerState.Failed, "over")], DateTimeOffset.UnixEpoch, default);

        var looks = await Task.WhenAll(Enumerable.Range(0, Servers).Select(n => stores.Pool.GetLive(Region, $"srv-{n}", default)));

        Assert.Empty(looks[7]);
        Assert.All(looks.Index().Where(look => look.Index != 7), look => Assert.Equal($"shop-{look.Index}", Assert.Single(look.Item).Id));
        Assert.Empty(await stores.Pool.GetLive("us-1", "srv-1", default));
        Assert.InRange(stores.Shared.Live.Statements, 1, 100);
    }

    [Fact]
    public async Task What_every_server_does_when_it_wakes_up_leaves_connections_to_users()
    {
        var most = 0;
        var now = 0;
        var waking = Task.WhenAll(Enumerable.Range(0, Servers).Select(_ => stores.Shared.InTurn(Work, default)));
        await using var connection = await stores.Source.OpenConnectionAsync();
        await waking;

        Assert.InRange(most, 2, Connections - 1);

        async Task<int> Work()
        {
            var busy = Interlocked.Increment(ref now);
            most = Math.Max(most, busy);
            await using var command = stores.Source.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync();
            return Interlocked.Decrement(ref now);
        }
    }

    [Fact]
    public async Task Writers_have_connections_of_their_own()
    {
        var epoch = await stores.Pool.RaiseEpoch(Region, default);
        var taken = new List<NpgsqlConnection>();
        for (var i = 0; i < Connections; i++)
            taken.Add(await stores.Source.OpenConnectionAsync());

        Assert.True(await stores.Deployments.Insert(Region, epoch, [Container(Region, "shop-1")], default));
        await stores.Deployments.Update([Container(Region, "shop-1") with { State = ContainerState.Running }], default);

        foreach (var connection in taken)
            await connection.DisposeAsync();
        Assert.Equal(ContainerState.Running, Assert.Single(await stores.Pool.GetLive(Region, "srv-1", default)).State);
    }
}
