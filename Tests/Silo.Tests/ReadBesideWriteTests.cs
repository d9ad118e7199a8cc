using System.Text.Json.Nodes;
using Npgsql;

namespace Hosting.Silo.Tests;

/// <summary>What is read while a change is being written is answered at once, with what was before it.</summary>
public sealed class ReadBesideWriteTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    private const string App = "shop";

    [Fact]
    public async Task A_deployment_that_is_not_durable_yet_holds_nobody_up_and_is_not_seen()
    {
        await Deploy("shop:1");
        await using var database = NpgsqlDataSource.Create(silo.ConnectionString);
        await using var connection = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var locked = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new NpgsqlCommand("LOCK TABLE orleans_grain_state IN EXCLUSIVE MODE", connection, locked))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var deployment = Deploy("shop:2");
        await SiloUnderTest.Eventually(() => SomebodyWaits(database), "the deployment waits for the database");
        var status = await silo.Get($"/v1/apps/{App}");
        var revisions = (await silo.Get($"/v1/apps/{App}/revisions")).AsArray();
        Assert.False(deployment.IsCompleted);
        await locked.RollbackAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, "shop:1"), Revision(status));
        Assert.Single(revisions);
        Assert.Equal((2, "shop:2"), Revision(await deployment));
        Assert.Equal((2, "shop:2"), Revision(await silo.Get($"/v1/apps/{App}")));
    }

    private async Task<JsonNode> Deploy(string image)
    {
        var answer = await silo.Put(App, new { image, port = 80, regions = new[] { SiloUnderTest.Region } });
        return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
    }

    private static async Task<bool> SomebodyWaits(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'orleans_grain_state'::regclass)");
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    private static (int Revision, string Image) Revision(JsonNode status) => ((int)status["revision"]!, (string)status["spec"]!["image"]!);
}
