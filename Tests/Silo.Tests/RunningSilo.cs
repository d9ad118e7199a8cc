using Hosting.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hosting.Silo.Tests;

/// <summary>A whole silo in this process, as its composition root makes it, on ports of its own.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Task _running;
    private readonly SiloOptions _options;

    private RunningSilo(WebApplication app, SiloOptions options)
    {
        (_app, _options) = (app, options);
        _running = app.RunSilo(options);
        Api = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{options.ApiPort}") };
    }

    /// <summary>A client of the HTTP API.</summary>
    public HttpClient Api { get; }

    /// <summary>Address for agents.</summary>
    public string Hub => $"http://127.0.0.1:{_options.AgentPort}";

    /// <summary>What the silo's grains are made of.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Grains, as the SDK sees them.</summary>
    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    /// <summary>Starts a silo and waits until it is ready. Silos of different clusters know nothing of each other, whatever database they share.</summary>
    public static async Task<RunningSilo> Start(string connectionString, string regions, string cluster = "hosting", Action<IServiceCollection>? change = null,
        Dictionary<string, string>? regional = null)
    {
        var options = new SiloOptions
        {
            ConnectionString = connectionString,
            Regions = regions,
            RegionConnectionStrings = regional ?? [],
            Cluster = cluster,
            Name = $"silo-of-{cluster}",
            SiloPort = Ports.Free(),
            GatewayPort = Ports.Free(),
            ApiPort = Ports.Free(),
            AgentPort = Ports.Free(),
        };
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // An activation that steps back says so, which is what some tests make hundreds of times.
        builder.Logging.AddFilter("Hosting.Grains.Placement", LogLevel.Error);
        change?.Invoke(builder.Services);
        var silo = new RunningSilo(SiloApp.Build(builder, options), options);
        await SiloUnderTest.Eventually(async () => (await silo.Api.GetAsync("/readyz")).IsSuccessStatusCode, "the silo is ready");
        return silo;
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _app.StopAsync();
        await _running;
        await _app.DisposeAsync();
    }
}
