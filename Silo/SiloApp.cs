using System.Net;
using Hosting.Grains;
using Hosting.Grains.Storage;
using Hosting.Protocol;
using Hosting.Silo.Agents;
using Hosting.Silo.Api;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orleans.Configuration;

namespace Hosting.Silo;

/// <summary>Puts a control plane process together: grains, the agents' hub and the HTTP API.</summary>
internal static class SiloApp
{
    private static readonly TimeSpan SchemaDeadline = TimeSpan.FromSeconds(60);

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
        builder.Services.AddHostingApi();
        builder.UseOrleans(silo => ConfigureOrleans(silo, options));
        var app = builder.Build();
        app.MapGrpcService<AgentHubService>().RequireHost($"*:{options.AgentPort}");
        app.MapHostingApi();
        return app;
    }

    /// <summary>Brings the schema up to date, then runs until it is told to stop.</summary>
    public static async Task RunSilo(this WebApplication app, SiloOptions options)
    {
        using (var deadline = new CancellationTokenSource(SchemaDeadline))
            await Schema.Apply(options.ConnectionString, deadline.Token);
        await app.Services.GetRequiredService<PoolStore>().AddRegions(options.RegionNames, CancellationToken.None);
        await app.RunAsync();
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
        silo.Configure<Orleans.Configuration.SiloOptions>(o => o.SiloName = options.Name);
        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = IPAddress.Parse(options.Address);
            o.SiloPort = options.SiloPort;
            o.GatewayPort = options.GatewayPort;
        });
        silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = ("Npgsql", options.ConnectionString));
        silo.AddAdoNetGrainStorageAsDefault(o =>
        {
            (o.Invariant, o.ConnectionString) = ("Npgsql", Prepared(options.ConnectionString));
            o.DeleteStateOnClear = true;
        });
        Tune(silo);
        silo.AddHostingGrains(options.ConnectionString, options.RegionNames, $"http://{options.Address}:{options.ApiPort}");
    }

    /// <summary>
    /// Membership for a platform whose users notice seconds: the defaults need 11 s to give up a killed silo and 61 s for a
    /// frozen one, these about 1 s (measured on 2 cores). A silo paused for longer than that is voted out, and restarts.
    /// </summary>
    private static void Tune(ISiloBuilder silo)
    {
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(1);
            o.MaxProbeTimeout = TimeSpan.FromSeconds(2);
            o.NumMissedProbesLimit = 3;
            o.NumVotesForDeathDeclaration = 1;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            o.NumMissedTableIAmAliveLimit = 3;
            o.EnableConnectionLivenessCheck = false;
        });
        silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(5));
    }

    private static string Prepared(string connectionString) =>
        connectionString.TrimEnd(';') + ";Max Auto Prepare=30;Auto Prepare Min Usages=2;No Reset On Close=true";
}
