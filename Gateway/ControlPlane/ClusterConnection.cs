using Hosting.Apps;
using Hosting.Gateway.Metrics;
using Hosting.Regions;

namespace Hosting.Gateway.ControlPlane;

/// <summary>
/// The gateway's calls to grains, each with a deadline. Connects in the background and for ever; until then, and while no
/// silo answers, every call fails at once or by its deadline and the gateway goes on with what it knows.
/// </summary>
internal sealed class ClusterConnection(
    GatewayOptions options, ClientConnector connect, RouteObserver observer, GatewayTimings timings, GatewayMetrics metrics, TimeProvider time,
    ILogger<ClusterConnection> logger) : BackgroundService
{
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ConnectPause = TimeSpan.FromSeconds(2);
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _state = new();
    private ConnectedClient? _connection;
    private IRouteObserver? _reference;
    private long _lastAnswer;
    private bool _lost;

    /// <summary>Raised when subscriptions may have been lost: silos came or went, or answer again.</summary>
    public event Action? SubscriptionsLost;

    /// <summary>Completes with the first connection.</summary>
    public Task Connected => _connected.Task;

    /// <summary>Whether silos answered lately.</summary>
    public bool IsUp
    {
        get
        {
            lock (_state)
                return _connection is not null && !_lost;
        }
    }

    /// <summary>Subscribes to an app; null when nothing changed since <paramref name="known"/>.</summary>
    public Task<AppRoute?> WatchApp(string app, RouteVersion? known, CancellationToken stop) =>
        Call((client, self) => client.GetGrain<IAppServiceGrain>(app).Watch(self, known), stop);

    /// <summary>Subscribes to an app's containers in a region; null when nothing changed since <paramref name="known"/>.</summary>
    public Task<RouteTable?> WatchTable(string region, string app, RouteVersion? known, CancellationToken stop) =>
        Call((client, self) => client.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, app)).Watch(self, known), stop);

    /// <summary>The app that owns a host name in lower case; null when nobody does.</summary>
    public Task<string?> GetOwner(string host, CancellationToken stop) =>
        Call((client, _) => client.GetGrain<IHostnameGrain>(host).GetOwner(), stop);

    /// <summary>Base addresses of the HTTP API.</summary>
    public Task<IReadOnlyList<string>> GetApiAddresses(CancellationToken stop) =>
        Call((client, _) => client.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetApiAddresses(), stop);

    /// <summary>Ends the connection.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_connection is { } connection)
            await connection.Disconnect();
    }

    /// <summary>Connects once; the client keeps itself connected.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var waiting = time.CreateTimer(_ => LogWaiting(), null, LostAfter, Timeout.InfiniteTimeSpan);
        while (!await TryConnect(stoppingToken))
            await Task.Delay(ConnectPause, time, stoppingToken);
        _connected.TrySetResult();
        metrics.ControlPlaneUp.Set(1);
        logger.LogInformation("Gateway {Name} is connected to the control plane.", options.Name);
        SubscriptionsLost?.Invoke();
    }

    private void LogWaiting()
    {
        if (!_connected.Task.IsCompleted)
            logger.LogWarning("No silo answers yet: serving what is known from disk. Check that a silo runs and that ConnectionStrings:Hosting and Hosting:Cluster are the silos'.");
    }

    private async Task<bool> TryConnect(CancellationToken stop)
    {
        try
        {
            var connection = await connect(() => SubscriptionsLost?.Invoke(), stop);
            _reference = connection.Client.CreateObjectReference<IRouteObserver>(observer);
            Answered();
            Volatile.Write(ref _connection, connection);
            return true;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            logger.LogDebug(e, "Connecting to the control plane failed.");
            return false;
        }
    }

    private async Task<T> Call<T>(Func<IClusterClient, IRouteObserver, Task<T>> call, CancellationToken stop)
    {
        var connection = Volatile.Read(ref _connection) ?? throw new ControlPlaneException("No silo has answered yet.");
        try
        {
            var answer = await call(connection.Client, _reference!).WaitAsync(timings.Call, time, stop);
            Answered();
            return answer;
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            Failed(e);
            throw new ControlPlaneException(e.Message, e);
        }
    }

    private void Answered()
    {
        bool back;
        lock (_state)
        {
            (back, _lost) = (_lost, false);
            _lastAnswer = time.GetTimestamp();
        }
        if (!back)
            return;
        metrics.ControlPlaneUp.Set(1);
        logger.LogInformation("The control plane answers again.");
        SubscriptionsLost?.Invoke();
    }

    /// <summary>One grain that fails is not the control plane: that counts as lost when nothing has answered for a while.</summary>
    private void Failed(Exception e)
    {
        lock (_state)
        {
            if (_lost || time.GetElapsedTime(_lastAnswer) < LostAfter)
                return;
            _lost = true;
        }
        metrics.ControlPlaneUp.Set(0);
        logger.LogWarning("The control plane does not answer ({Reason}): serving what is known. Check the silos.", e.Message);
    }
}

/// <summary>The control plane did not answer. Nothing is known about whether it did what it was asked to.</summary>
internal sealed class ControlPlaneException(string message, Exception? inner = null) : Exception(message, inner);
