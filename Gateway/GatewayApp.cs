using System.Net;
using Hosting.Gateway.ControlPlane;
using Hosting.Gateway.Metrics;
using Hosting.Gateway.Proxy;
using Hosting.Gateway.Routing;
using Hosting.Gateway.State;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Hosting.Gateway;

/// <summary>The composition root, used by the process and by tests.</summary>
internal static class GatewayApp
{
    // For requests in flight once the listener is closed; containers' own grace is as long by default.
    private static readonly TimeSpan FinishWithin = TimeSpan.FromSeconds(10);

    /// <summary>A builder that has read the configuration: the file beside the binary, the environment, the arguments.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args) =>
        WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

    /// <summary>A gateway, ready to be run.</summary>
    /// <param name="builder">From <see cref="CreateBuilder"/>.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="timings">Times and limits; null for the real ones.</param>
    /// <param name="connect">How it reaches the silos; null for the membership in PostgreSQL.</param>
    public static WebApplication Build(
        WebApplicationBuilder builder, GatewayOptions options, GatewayTimings? timings = null, ClientConnector? connect = null)
    {
        timings ??= new GatewayTimings();
        builder.Services.AddSingleton(options).AddSingleton(timings).AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => connect ?? PostgresClientConnector.Create(
            options, timings, services.GetRequiredService<ILoggerFactory>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + FinishWithin);
        builder.Services.AddSystemd();
        builder.Logging.AddSimpleConsole(console =>
            (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
        AddParts(builder.Services);
        AddProxy(builder.Services);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        return Pipeline(builder.Build(), options);
    }

    private static void AddParts(IServiceCollection services)
    {
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton(UpstreamClient.CreateModel());
        services.AddSingleton<HttpTransformer, ForwardedHeaders>();
        services.AddSingleton<RoutingTable>().AddSingleton<RouteObserver>().AddSingleton<Resolver>();
        services.AddSingleton<ParkingLot>().AddSingleton<Delivery>().AddSingleton<HostRouting>();
        AddHosted<Departure>(services);
        AddHosted<RouteFile>(services);
        AddHosted<ClusterConnection>(services);
        AddHosted<Renewal>(services);
        AddHosted<ApiDirectory>(services);
        AddHosted<ApiHealth>(services);
    }

    private static void AddHosted<T>(IServiceCollection services)
        where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());

    /// <summary>One catch-all route to a cluster that is never used: each request is given its own by <see cref="HostRouting"/>.</summary>
    private static void AddProxy(IServiceCollection services)
    {
        services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "none", Match = new RouteMatch { Path = "{**path}" } }],
            [new ClusterConfig { ClusterId = "none" }]);
        // It comes with YARP's session affinity, which is not used, and would write keys to the home directory at start.
        foreach (var keys in services.Where(service => service.ImplementationType?.Name == "DataProtectionHostedService").ToArray())
            services.Remove(keys);
    }

    private static WebApplication Pipeline(WebApplication app, GatewayOptions options)
    {
        app.UseAdmin(options.AdminPort);
        var routing = app.Services.GetRequiredService<HostRouting>();
        app.MapReverseProxy(proxy => proxy.Use(forward => context => routing.Handle(context, forward)));
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, GatewayOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = 50_000;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 20_000;
        kestrel.Limits.MaxRequestLineSize = 16 * 1024;
        // Bodies are streamed, however large and slow; a request that moves nothing ends by the activity timeout.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Listen(options.Address, options.Port, listener => listener.Protocols = HttpProtocols.Http1);
        if (options.AdminPort != 0)
            kestrel.Listen(IPAddress.Loopback, options.AdminPort, listener => listener.Protocols = HttpProtocols.Http1);
    }
}
