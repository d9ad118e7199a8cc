using Orleans.Configuration;

namespace Hosting.Gateway.ControlPlane;

/// <summary>Connects to the silos, however long it takes.</summary>
/// <param name="silosChanged">To be called when silos came or went; subscriptions may be lost then.</param>
/// <param name="stop">Gives the attempt up.</param>
internal delegate Task<ConnectedClient> ClientConnector(Action silosChanged, CancellationToken stop);

/// <summary>A client that is connected.</summary>
/// <param name="Client">The client; it reconnects by itself from now on.</param>
/// <param name="Disconnect">Ends it.</param>
internal sealed record ConnectedClient(IClusterClient Client, Func<Task> Disconnect);

/// <summary>
/// Connects through the membership in PostgreSQL. The client has a host of its own: in the gateway's host it would keep the
/// listener from starting as long as no silo is there.
/// </summary>
internal static class PostgresClientConnector
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>The connector for these options.</summary>
    public static ClientConnector Create(GatewayOptions options, GatewayTimings timings, ILoggerFactory loggers, TimeProvider time) =>
        async (silosChanged, stop) =>
        {
            var host = Build(options, timings, loggers, time, silosChanged);
            try
            {
                await host.StartAsync(stop);
            }
            catch
            {
                host.Dispose();
                throw;
            }
            return new ConnectedClient(host.Services.GetRequiredService<IClusterClient>(), () => Stop(host));
        };

    private static IHost Build(GatewayOptions options, GatewayTimings timings, ILoggerFactory loggers, TimeProvider time, Action silosChanged)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.UseOrleansClient(client => client
            .UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = "Npgsql";
                clustering.ConnectionString = options.ConnectionString;
            })
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.Cluster, options.Cluster))
            .Configure<Orleans.Configuration.GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2))
            .Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = timings.Call)
            .UseConnectionRetryFilter((_, stop) => PauseThenRetry(time, stop))
            .AddGatewayCountChangedHandler((_, _) => silosChanged()));
        builder.Services.AddSingleton(loggers);
        return builder.Build();
    }

    private static async Task<bool> PauseThenRetry(TimeProvider time, CancellationToken stop)
    {
        await Task.Delay(RetryPause, time, stop);
        return true;
    }

    private static async Task Stop(IHost host)
    {
        using (host)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await host.StopAsync(deadline.Token);
        }
    }

    /// <summary>Signals belong to the gateway's host.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
