using Npgsql;
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
/// Connects through the membership in PostgreSQL. The client has services of its own: as a part of the gateway's host it
/// would keep the listener from starting as long as no silo is there.
/// </summary>
internal static class PostgresClientConnector
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(2);

    /// <summary>The connector for these options.</summary>
    public static ClientConnector Create(GatewayOptions options, GatewayTimings timings, ILoggerFactory loggers, TimeProvider time) =>
        async (silosChanged, stop) =>
        {
            var services = Build(options, timings, loggers, time, silosChanged);
            try
            {
                foreach (var part in services.GetServices<IHostedService>())
                    await part.StartAsync(stop);
            }
            catch
            {
                await services.DisposeAsync();
                throw;
            }
            return new ConnectedClient(services.GetRequiredService<IClusterClient>(), () => Stop(services));
        };

    private static ServiceProvider Build(
        GatewayOptions options, GatewayTimings timings, ILoggerFactory loggers, TimeProvider time, Action silosChanged)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(loggers);
        services.AddOrleansClient(new ConfigurationBuilder().Build(), client => client
            .UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = "Npgsql";
                clustering.ConnectionString = Settings(options.ConnectionString);
            })
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.Cluster, options.Cluster))
            .Configure<Orleans.Configuration.GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = timings.SilosRefresh)
            .Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = timings.Call)
            .Configure<ConnectionOptions>(connections => connections.OpenConnectionTimeout = timings.Resolve)
            .UseConnectionRetryFilter((_, stop) => PauseThenRetry(time, stop))
            .AddGatewayCountChangedHandler((_, _) => silosChanged()));
        return services.BuildServiceProvider();
    }

    /// <summary>Npgsql's own deadlines are 15 and 30 s, looking up names for Kerberos takes as long without DNS, and of several hosts a failed one is passed over for 10 s.</summary>
    private static string Settings(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Timeout = 3, CommandTimeout = 5, GssEncryptionMode = GssEncryptionMode.Disable, HostRecheckSeconds = 1,
    }.ConnectionString;

    private static async Task<bool> PauseThenRetry(TimeProvider time, CancellationToken stop)
    {
        await Task.Delay(RetryPause, time, stop);
        return true;
    }

    private static async Task Stop(ServiceProvider services)
    {
        await using (services)
        {
            using var deadline = new CancellationTokenSource(StopDeadline);
            foreach (var part in services.GetServices<IHostedService>())
                await part.StopAsync(deadline.Token);
        }
    }
}
