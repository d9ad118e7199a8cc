using System.Collections.Concurrent;
using Hosting.Apps;
using Hosting.Gateway.Metrics;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.ControlPlane;

/// <summary>
/// Renews the subscriptions of every known app, which also repairs pushes that were lost, and forgets apps that nobody
/// asks for. Apps in a hurry (just learned, or suspected to be stale) come first.
/// </summary>
internal sealed class Renewal(
    ClusterConnection cluster, RoutingTable routes, GatewayTimings timings, GatewayMetrics metrics, TimeProvider time,
    ILogger<Renewal> logger) : BackgroundService
{
    private const int MaxConcurrent = 64;
    private const int MaxUrgent = 4096;
    private static readonly TimeSpan HurryPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim _slots = new(MaxConcurrent);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly ConcurrentQueue<Upstream> _urgent = new();
    private int _urgentCount;
    private int _round;

    /// <summary>Asks for an app's renewal now, unless there was one within a second. Beyond a limit it waits for its turn instead.</summary>
    public void Hurry(Upstream upstream)
    {
        var recent = upstream.RenewedAt != 0 && time.GetElapsedTime(upstream.RenewedAt) < HurryPause;
        if (!upstream.IsApp || recent || Volatile.Read(ref upstream.Renewing) != 0 || Volatile.Read(ref _urgentCount) >= MaxUrgent)
            return;
        Interlocked.Increment(ref _urgentCount);
        _urgent.Enqueue(upstream);
        Wake();
    }

    /// <summary>Starts with the connection.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        cluster.SubscriptionsLost += RenewAll;
        await cluster.Connected.WaitAsync(stoppingToken);
        while (true)
        {
            await Pass(stoppingToken);
            await _wake.WaitAsync(timings.RenewalTick, stoppingToken);
        }
    }

    public override void Dispose()
    {
        _slots.Dispose();
        _wake.Dispose();
        base.Dispose();
    }

    private async Task Pass(CancellationToken stop)
    {
        await StartUrgent(stop);
        metrics.KnownApps.Set(routes.Count);
        foreach (var upstream in routes.Apps)
        {
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(upstream.LastUsed, now) > timings.Idle && cluster.IsUp && !upstream.IsBusy)
                routes.Forget(upstream);
            else if (upstream.RenewAt <= now)
                await Start(upstream, stop);
            await StartUrgent(stop);
        }
    }

    private async ValueTask StartUrgent(CancellationToken stop)
    {
        while (_urgent.TryDequeue(out var upstream))
        {
            Interlocked.Decrement(ref _urgentCount);
            await Start(upstream, stop);
        }
    }

    private async ValueTask Start(Upstream upstream, CancellationToken stop)
    {
        if (Interlocked.Exchange(ref upstream.Renewing, 1) != 0)
            return;
        await _slots.WaitAsync(stop);
        _ = Renew(upstream, stop);
    }

    /// <summary>Never fails: what could not be renewed is tried again soon.</summary>
    private async Task Renew(Upstream upstream, CancellationToken stop)
    {
        var round = Volatile.Read(ref _round);
        var pause = timings.Renewal * (1 + (Random.Shared.NextDouble() / 2));
        try
        {
            await RenewApp(upstream, stop);
        }
        catch (Exception e) when (e is ControlPlaneException or OperationCanceledException)
        {
            pause = timings.Renewal < RetryPause ? timings.Renewal : RetryPause * (1 + Random.Shared.NextDouble());
        }
        catch (Exception e)
        {
            logger.LogError(e, "The routes of app {App} could not be renewed; this is a defect, please report it.", upstream.Name);
        }
        finally
        {
            upstream.RenewedAt = time.GetTimestamp();
            upstream.RenewAt = round == Volatile.Read(ref _round) ? After(pause) : 0;
            Volatile.Write(ref upstream.Renewing, 0);
            _slots.Release();
        }
    }

    private long After(TimeSpan pause) => time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);

    private async Task RenewApp(Upstream upstream, CancellationToken stop)
    {
        var route = await cluster.WatchApp(upstream.Name, upstream.Known!.Version, stop);
        if (route is not null)
            routes.Apply(route);
        if (!upstream.View.Gone)
            await Task.WhenAll(upstream.Known!.Regions.Select(table => RenewTable(table, stop)));
    }

    private async Task RenewTable(RouteTable known, CancellationToken stop)
    {
        var table = await cluster.WatchTable(known.Region, known.App, known.Version, stop);
        if (table is not null)
            routes.Apply(table);
    }

    private void RenewAll()
    {
        Interlocked.Increment(ref _round);
        foreach (var upstream in routes.Apps)
            upstream.RenewAt = 0;
        Wake();
    }

    private void Wake()
    {
        if (_wake.CurrentCount > 0)
            return;
        try
        {
            _wake.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Awake already, or stopping.
        }
    }
}
