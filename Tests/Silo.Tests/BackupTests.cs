using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Support;
using Npgsql;

namespace Hosting.Silo.Tests;

/// <summary>The way back that docs/operations.md describes, taken.</summary>
public sealed class BackupTests
{
    [Fact]
    public async Task A_silo_on_a_restored_backup_goes_on_with_what_was_recorded()
    {
        await using var postgres = await PostgresServer.Start(fsync: false);
        var original = await postgres.CreateDatabase();
        string restored;
        List<string> containers;
        await using (var silo = await RunningSilo.Start(original, "eu-1"))
        {
            await using var agent = await SimulatedAgent.Connect(silo.Hub, "eu-1", "srv-1");
            await Put(silo, replicas: 3);
            await SiloUnderTest.Eventually(async () => (int)(await App(silo))["ready"]! == 3, "three replicas run");
            containers = await Containers(silo);
            restored = await postgres.BackUpAndRestore(original);
            await Put(silo, replicas: 1); // After the backup: lost with the database.
        }
        await using (var source = NpgsqlDataSource.Create(restored))
        await using (var forget = source.CreateCommand("TRUNCATE orleans_member"))
            await forget.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await using var again = await RunningSilo.Start(restored, "eu-1");
        Assert.Equal((3, "shop:1"), ((int)(await App(again))["desired"]!, (string)(await App(again))["spec"]!["image"]!));
        Assert.Equal(containers, await Containers(again));
        await using var back = await SimulatedAgent.Connect(again.Hub, "eu-1", "srv-1");
        await SiloUnderTest.Eventually(() => Task.FromResult(containers.All(back.Running.Contains)), "the agent runs what is on record");
        await Put(again, replicas: 4);
        await SiloUnderTest.Eventually(async () => (int)(await App(again))["ready"]! == 4, "the app can be changed");
    }

    private static async Task Put(RunningSilo silo, int replicas)
    {
        using var answer = await silo.Api.PutAsJsonAsync("/v1/apps/shop", new { image = "shop:1", port = 8080, cpuMillis = 50, memoryMiB = 16, replicas });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<JsonNode> App(RunningSilo silo) => (await silo.Api.GetFromJsonAsync<JsonNode>("/v1/apps/shop"))!;

    private static async Task<List<string>> Containers(RunningSilo silo) =>
        [.. (await silo.Api.GetFromJsonAsync<JsonArray>("/v1/apps/shop/containers"))!.Select(c => (string)c!["id"]!).Order(StringComparer.Ordinal)];
}
