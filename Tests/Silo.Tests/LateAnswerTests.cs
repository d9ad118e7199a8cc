using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Placement;
using Hosting.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Hosting.Silo.Tests;

/// <summary>A placement is made and durable, and its answer does not arrive in time, as in a silo that has too much to do.</summary>
public sealed class LateAnswerTests : IAsyncLifetime, IIncomingGrainCallFilter
{
    private PostgresServer _postgres = null!;
    private RunningSilo _silo = null!;
    private int _lost;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        _silo = await RunningSilo.Start(await _postgres.CreateDatabase(), "eu-1", change: services => services.AddSingleton<IIncomingGrainCallFilter>(this));
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task What_was_placed_is_found_and_not_placed_again()
    {
        await using var agent = await SimulatedAgent.Connect(_silo.Hub, "eu-1", "late-1");
        await _silo.Api.PutAsJsonAsync("/v1/apps/late", new { image = "shop:1", port = 80, cpuMillis = 50, memoryMiB = 16, replicas = 3 });
        await SiloUnderTest.Eventually(async () => (int)(await _silo.Api.GetFromJsonAsync<JsonNode>("/v1/apps/late"))!["ready"]! == 3, "it runs");

        Assert.Equal(1, _lost);
        Assert.Equal(3, (await _silo.Api.GetFromJsonAsync<JsonArray>("/v1/apps/late/containers?all=true"))!.Count);
    }

    async Task IIncomingGrainCallFilter.Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.Grain is IPlacementGrain && context.MethodName == nameof(IPlacementGrain.Place)
            && context.Result is PlacementResult { Placed.Count: > 0 } && Interlocked.CompareExchange(ref _lost, 1, 0) == 0)
            throw new TimeoutException("the answer did not arrive in time");
    }
}
