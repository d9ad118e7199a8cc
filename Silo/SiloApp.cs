using System.Net;
using Hosting.Grains;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Protocol;
using Hosting.Silo.Agents;
using Hosting.Silo.Api;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orleans.Configuration;
using Orleans.Serialization;

namespace Hosting.Silo;

/// <summary>Puts a control plane process together: grains, the agents' hub and the HTTP API.</summary>
internal static class SiloApp
{
    private static readonly TimeSpan SchemaDeadline = TimeSpan.FromSeconds(60);

    // Handing its grains over takes a second or two; with the membership out of reach it would take for ever, and the others give it up.
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);

    public static WebApplication Build(WebApplicationBuilder builder, SiloOptions options)
    {
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        builder.Services.AddSystemd();
        builder.Services.AddSingleton<TimeProvider>(new SteadyClock());
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddGrpc();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWithin);
        builder.Services.AddSingleton<Departure>().AddHostedService(services => services.GetRequiredService<Departure>());
        builder.Services.AddHostingApi();
        builder.UseOrleans(silo => ConfigureOrleans(silo, options));
        var app = builder.Build();
        app.Use(next => http => app.Services.GetRequiredService<Departure>().Note(http, next));
        app.MapGrpcService<AgentHubService>().RequireHost($"*:{options.AgentPort}");
        app.MapHostingApi();
        return app;
    }

    /// <summary>Brings the schema of the shared database and of those of its regions up to date, then runs until it is told to stop.</summary>
    /// <returns>What is wrong with the configuration; then it did not run.</returns>
    public static async Task<IReadOnlyList<string>> RunSilo(this WebApplication app, SiloOptions options)
    {
        using (var deadline = new CancellationTokenSource(SchemaDeadline))
        {
            foreach (var database in options.OwnDatabases.Values.Append(options.ConnectionString).Distinct())
                await Schema.Apply(database, deadline.Token);
        }
        var errors = await app.Services.GetRequiredService<PoolStore>().AddRegions(options.RegionNames, CancellationToken.None);
        if (errors.Count > 0)
            return errors;
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Not everything could be handed over in time; what was not is found by the others.
        }
        return errors;
    }

    private static void Listen(KestrelServerOptions kestrel, SiloOptions options)
    {
        var address = IPAddress.Parse(options.Address);
        kestrel.Listen(address, options.ApiPort, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(address, options.AgentPort, listen => listen.Protocols = HttpProtocols.Http2);
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(2);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(2);
    }

    private static void ConfigureOrleans(ISiloBuilder silo, SiloOptions options)
    {
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.Cluster, options.Cluster));
        silo.Configure<Orleans.Configuration.SiloOptions>(o => o.SiloName = SiloRegions.Name(options.Name, options.RegionNames));
        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = IPAddress.Parse(options.Address);
            o.SiloPort = options.SiloPort;
            o.GatewayPort = options.GatewayPort;
        });
        silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = ("Npgsql", Prepared(options.ConnectionString)));
        silo.AddAdoNetGrainStorageAsDefault(o => Store(o, options.ConnectionString));
        foreach (var (region, database) in options.OwnDatabases)
            silo.AddAdoNetGrainStorage(RegionDocuments.Own(region), (AdoNetGrainStorageOptions o) => Store(o, database));
        options.Tuning.Apply(silo);
        // Who wants several silos to agree gets no silo given up on one's word.
        if (options.Tuning.Votes == 1)
            WatchPeers(silo);
        // A failure of the database travels to the caller as what it is; otherwise the caller hears only that it could not be sent.
        silo.Services.Configure<ExceptionSerializationOptions>(o => o.SupportedNamespacePrefixes.Add("Npgsql"));
        silo.AddHostingGrains(options.ConnectionString, options.RegionConnectionStrings, options.RegionNames, $"http://{options.Address}:{options.ApiPort}");
    }

    private static void WatchPeers(ISiloBuilder silo)
    {
        silo.Services.AddSingleton<LostPeers>().AddHostedService(services => services.GetRequiredService<LostPeers>());
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<LostPeers>(
            (o, peers) => o.ConfigureSiloOutboundConnection(connection => connection.Use(peers.Around)));
    }

    private static void Store(AdoNetGrainStorageOptions storage, string connectionString)
    {
        (storage.Invariant, storage.ConnectionString) = ("Npgsql", Prepared(connectionString));
        storage.DeleteStateOnClear = true;
    }

    /// <summary>For Orleans' own stores, which make no settings of their own.</summary>
    private static string Prepared(string connectionString)
    {
        var settings = Connections.Settings(connectionString);
        (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages, settings.NoResetOnClose) = (30, 2, true);
        return settings.ConnectionString;
    }
}
