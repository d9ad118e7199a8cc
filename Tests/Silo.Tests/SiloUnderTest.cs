using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>A whole silo on a database of its own, for all tests of a class.</summary>
public sealed class SiloUnderTest : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private PostgresServer _postgres = null!;
    private RunningSilo _silo = null!;

    /// <summary>Region of this silo.</summary>
    public const string Region = "eu-1";

    /// <summary>Address for agents.</summary>
    public string Hub => _silo.Hub;

    /// <summary>A client of the HTTP API.</summary>
    public HttpClient Api => _silo.Api;

    /// <summary>Grains, as the SDK sees them.</summary>
    public IGrainFactory Grains => _silo.Grains;

    /// <summary>The database.</summary>
    public string ConnectionString { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        ConnectionString = await _postgres.CreateDatabase();
        _silo = await RunningSilo.Start(ConnectionString, $"{Region},us-1");
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>PUTs a spec and answers the response.</summary>
    public Task<HttpResponseMessage> Put(string app, object spec) => Api.PutAsJsonAsync($"/v1/apps/{app}", spec);

    /// <summary>GETs JSON.</summary>
    public async Task<JsonNode> Get(string path) => (await Api.GetFromJsonAsync<JsonNode>(path))!;

    /// <summary>Waits until an app's status is as described, and answers it.</summary>
    public async Task<JsonNode> Until(string app, Func<JsonNode, bool> isSo, int seconds = 20)
    {
        JsonNode status = new JsonObject();
        await Eventually(async () => isSo(status = await Get($"/v1/apps/{app}")), () => $"the app's status is as awaited: {status}", TimeSpan.FromSeconds(seconds));
        return status;
    }

    /// <summary>Waits until a condition that no event announces holds.</summary>
    public static Task Eventually(Func<Task<bool>> condition, string what) => Eventually(condition, () => what, Patience);

    private static async Task Eventually(Func<Task<bool>> condition, Func<string> what, TimeSpan patience)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or JsonException)
            {
            }
            if (TimeProvider.System.GetElapsedTime(deadline) > patience)
                Assert.Fail($"not within {patience.TotalSeconds} s: {what()}");
            await Task.Delay(20);
        }
    }
}
