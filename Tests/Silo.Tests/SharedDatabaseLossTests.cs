using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Protocol;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>A region with a PostgreSQL of its own goes on working while the shared one is stopped.</summary>
public sealed class SharedDatabaseLossTests : IAsyncLifetime
{
    private const string Own = "eu-1";
    private const string Other = "us-1";
    private PostgresServer _shared = null!;
    private PostgresServer _regional = null!;
    private RunningSilo _silo = null!;
    private bool _hasShared = true;

    public async ValueTask InitializeAsync()
    {
        (_shared, _regional) = (await PostgresServer.Start(fsync: false), await PostgresServer.Start(fsync: false));
        _silo = await RunningSilo.Start(
            await _shared.CreateDatabase(), $"{Own},{Other}", regional: new() { [Own] = await _regional.CreateDatabase() });
    }

    public async ValueTask DisposeAsync()
    {
        if (!_hasShared)
            await _shared.StartProcess(); // A silo takes long to leave a membership that it cannot reach.
        await _silo.DisposeAsync();
        await _regional.DisposeAsync();
        await _shared.DisposeAsync();
    }

    [Fact]
    public async Task Without_the_shared_database_a_region_replaces_what_fails_and_nothing_that_was_answered_is_lost()
    {
        await using var one = await SimulatedAgent.Connect(_silo.Hub, Own, "srv-1");
        await using var two = await SimulatedAgent.Connect(_silo.Hub, Own, "srv-2");
        await using var far = await SimulatedAgent.Connect(_silo.Hub, Other, "srv-3");
        Assert.Equal(HttpStatusCode.Created, (await Put("near", Own, 2)).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await Put("far", Other, 1)).StatusCode);
        await Until("near", 2);
        await Until("far", 1);
        _hasShared = false;
        await _shared.Stop();

        // A container that fails is replaced, a server that is drained is left, and both are told of.
        var container = (await _silo.Api.GetFromJsonAsync<JsonArray>($"/v1/containers?region={Own}"))![0]!;
        var failed = (string)container["id"]!;
        (one.Running.Contains(failed) ? one : two).Report(new Container { Id = failed, Vm = (string)container["vm"]!, App = "near", Revision = 1, State = ContainerState.Failed, Reason = "gone" });
        await SiloUnderTest.Eventually(async () => await Healthy(failed) == 2, "the failed container is replaced");
        using (var drain = await _silo.Api.PostAsync($"/v1/servers/{Own}/srv-1/drain", null))
            Assert.True(drain.IsSuccessStatusCode, await drain.Content.ReadAsStringAsync());
        await SiloUnderTest.Eventually(() => Task.FromResult(one.Running.Count == 0 && two.Running.Count == 2), "srv-1 is empty");
        using var policy = await _silo.Api.PatchAsJsonAsync($"/v1/regions/{Own}", new { lostAfterSeconds = 33 });
        Assert.True(policy.IsSuccessStatusCode, await policy.Content.ReadAsStringAsync());

        // What is in the shared one can not be changed, and lists say what they lack.
        foreach (var refused in new[] { await Put("near", Own, 5), await Put("new", Own, 1), await _silo.Api.DeleteAsync("/v1/apps/far") })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
            Assert.Contains("PostgreSQL", await refused.Content.ReadAsStringAsync());
            Assert.NotNull(refused.Headers.RetryAfter);
        }
        using var list = await _silo.Api.GetAsync("/v1/containers");
        Assert.Contains("the shared database", Assert.Single(list.Headers.GetValues("Hosting-Incomplete")));
        Assert.All((await list.Content.ReadFromJsonAsync<JsonArray>())!, c => Assert.Equal(Own, (string)c!["region"]!));
        using var logs = await _silo.Api.GetAsync("/v1/apps/near/logs");
        Assert.Contains("the shared database", string.Join("; ", logs.Headers.GetValues("Hosting-Incomplete")));
        var happened = (await _silo.Api.GetFromJsonAsync<JsonArray>($"/v1/events?region={Own}&limit=1000"))!;
        Assert.Contains(happened, e => (string?)e!["container"] == failed && (string)e["kind"]! == "failed");
        Assert.Equal([Own, Other], (await _silo.Api.GetFromJsonAsync<JsonArray>("/v1/regions"))!.Select(r => (string)r!["name"]!));

        await _shared.StartProcess();
        _hasShared = true;
        await SiloUnderTest.Eventually(async () => (await Put("near", Own, 3)).StatusCode == HttpStatusCode.OK, "specs can be changed again");
        await Until("near", 3);
        await Until("far", 1);
        Assert.Equal(HttpStatusCode.NotFound, (await _silo.Api.GetAsync("/v1/apps/new")).StatusCode);
        using var whole = await _silo.Api.GetAsync("/v1/containers");
        Assert.False(whole.Headers.Contains("Hosting-Incomplete"));
        Assert.Equal(4, (await whole.Content.ReadFromJsonAsync<JsonArray>())!.Count);
    }

    private Task<HttpResponseMessage> Put(string app, string region, int replicas) => _silo.Api.PutAsJsonAsync($"/v1/apps/{app}", new
    {
        image = "shop:1", port = 8080, cpuMillis = 50, memoryMiB = 16, replicas, regions = new[] { region }, stopGraceSeconds = 1,
    });

    private async Task Until(string app, int ready) => await SiloUnderTest.Eventually(
        async () => (int)(await _silo.Api.GetFromJsonAsync<JsonNode>($"/v1/apps/{app}"))!["ready"]! == ready, $"{app} has {ready} replicas");

    private async Task<int> Healthy(string but)
    {
        var containers = (await _silo.Api.GetFromJsonAsync<JsonArray>($"/v1/containers?region={Own}"))!;
        return containers.Count(c => (bool)c!["healthy"]! && (string)c!["id"]! != but);
    }
}
