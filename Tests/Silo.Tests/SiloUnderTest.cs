using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hosting.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hosting.Silo.Tests;

/// <summary>A whole silo in this process, as its composition root makes it, on a database and on ports of its own.</summary>
public sealed class SiloUnderTest : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private PostgresServer _postgres = null!;
    private WebApplication _app = null!;
    private Task _running = Task.CompletedTask;
    private SiloOptions _options = null!;

    /// <summary>Region of this silo.</summary>
    public const string Region = "eu-1";

    /// <summary>Address for agents.</summary>
    public string Hub => $"http://127.0.0.1:{_options.AgentPort}";

    /// <summary>A client of the HTTP API.</summary>
    public HttpClient Api { get; private set; } = null!;

    /// <summary>Grains, as the SDK sees them.</summary>
    public IGrainFactory Grains => _app.Services.GetRequiredService<IGrainFactory>();

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.Start(fsync: false);
        var connection = await _postgres.CreateDatabase();
        _options = new SiloOptions
        {
            ConnectionString = connection,
            Regions = $"{Region},us-1",
            Name = "silo-under-test",
            SiloPort = Ports.Free(),
            GatewayPort = Ports.Free(),
            ApiPort = Ports.Free(),
            AgentPort = Ports.Free(),
        };
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        _app = SiloApp.Build(builder, _options);
        _running = _app.RunSilo(_options);
        Api = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_options.ApiPort}") };
        await Eventually(async () => (await Api.GetAsync("/readyz")).IsSuccessStatusCode, "the silo is ready");
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _app.StopAsync();
        await _running;
        await _app.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>PUTs a spec and answers the response.</summary>
    public Task<HttpResponseMessage> Put(string app, object spec) => Api.PutAsJsonAsync($"/v1/apps/{app}", spec);

    /// <summary>GETs JSON.</summary>
    public async Task<JsonNode> Get(string path) => (await Api.GetFromJsonAsync<JsonNode>(path))!;

    /// <summary>Waits until an app's status is as described, and answers it.</summary>
    public async Task<JsonNode> Until(string app, Func<JsonNode, bool> isSo)
    {
        JsonNode status = new JsonObject();
        await Eventually(async () => isSo(status = await Get($"/v1/apps/{app}")), () => $"the app's status is as awaited: {status}");
        return status;
    }

    /// <summary>Waits until a condition that no event announces holds.</summary>
    public static Task Eventually(Func<Task<bool>> condition, string what) => Eventually(condition, () => what);

    private static async Task Eventually(Func<Task<bool>> condition, Func<string> what)
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
            if (TimeProvider.System.GetElapsedTime(deadline) > Patience)
                Assert.Fail($"not within {Patience.TotalSeconds} s: {what()}");
            await Task.Delay(20);
        }
    }
}
