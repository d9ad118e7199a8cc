using System.Collections.Concurrent;
using System.Diagnostics;
using Hosting.Apps;
using Hosting.Gateway.ControlPlane;
using Hosting.Gateway.Metrics;

namespace Hosting.Gateway.Routing;

/// <summary>How learning a host name ended.</summary>
internal enum ResolveOutcome
{
    /// <summary>It leads to an upstream.</summary>
    Found,

    /// <summary>No app has it.</summary>
    NotFound,

    /// <summary>The control plane did not answer in time.</summary>
    Unavailable,

    /// <summary>Too many names are being learned.</summary>
    TooBusy,
}

/// <summary>The end of learning a host name.</summary>
internal readonly record struct Resolution(ResolveOutcome Outcome, Upstream? Upstream = null);

/// <summary>
/// Learns host names that are not known, one call at a time for each, however many requests wait for it. Names that lead
/// nowhere are remembered for a moment, and what may be under way is limited, so that made-up names cannot flood the silos.
/// </summary>
internal sealed class Resolver
{
    private const int MaxNegative = 4096;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<string, Lazy<Task<Resolution>>> _flights = new(StringComparer.OrdinalIgnoreCase);
    private readonly GatewayOptions _options;
    private readonly GatewayTimings _timings;
    private readonly RoutingTable _routes;
    private readonly ClusterConnection _cluster;
    private readonly Renewal _renewal;
    private readonly GatewayMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly NegativeCache _nowhere;
    private int _flying;
    private int _waiting;

    public Resolver(
        GatewayOptions options, GatewayTimings timings, RoutingTable routes, ClusterConnection cluster, Renewal renewal,
        GatewayMetrics metrics, TimeProvider time)
    {
        (_options, _timings, _routes, _cluster, _renewal, _metrics, _time) = (options, timings, routes, cluster, renewal, metrics, time);
        _nowhere = new NegativeCache(timings.Negative, MaxNegative, time);
        routes.HostAppeared += _nowhere.Remove;
    }

    /// <summary>Learns a valid host name that stands for an app or may be one's own.</summary>
    /// <param name="host">The name, without port.</param>
    /// <param name="abort">Ends this caller's wait, not the learning.</param>
    public async ValueTask<Resolution> Resolve(string host, CancellationToken abort)
    {
        if (_nowhere.Contains(host))
            return new Resolution(ResolveOutcome.NotFound);
        if (Volatile.Read(ref _flying) >= _timings.MaxResolving && !_flights.ContainsKey(host))
            return new Resolution(ResolveOutcome.TooBusy);
        if (Interlocked.Increment(ref _waiting) > _timings.MaxResolvingRequests)
        {
            Interlocked.Decrement(ref _waiting);
            return new Resolution(ResolveOutcome.TooBusy);
        }
        try
        {
            var flight = _flights.GetOrAdd(host, static (name, self) => new Lazy<Task<Resolution>>(() => self.Fly(name)), this);
            return await flight.Value.WaitAsync(abort);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<Resolution> Fly(string host)
    {
        Interlocked.Increment(ref _flying);
        var started = Stopwatch.GetTimestamp();
        using var deadline = new CancellationTokenSource(_timings.Resolve, _time);
        try
        {
            var resolution = await Learn(host, deadline.Token);
            if (resolution.Outcome == ResolveOutcome.NotFound)
                _nowhere.Add(host);
            return resolution;
        }
        catch (OperationCanceledException)
        {
            return new Resolution(ResolveOutcome.Unavailable);
        }
        finally
        {
            _metrics.ResolveSeconds.Observe(Stopwatch.GetElapsedTime(started).TotalSeconds);
            Interlocked.Decrement(ref _flying);
            _flights.TryRemove(host, out _);
        }
    }

    private async Task<Resolution> Learn(string host, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var app = await AppOf(host, stop);
                var route = app is null ? null : await _cluster.WatchApp(app, null, stop);
                return route is null ? new Resolution(ResolveOutcome.NotFound) : Take(route, host);
            }
            catch (ControlPlaneException)
            {
                await Task.Delay(RetryPause, _time, stop);
            }
        }
    }

    private async Task<string?> AppOf(string host, CancellationToken stop)
    {
        var label = HostName.LabelUnder(host, _options.AppsDomain);
        return label.IsEmpty ? await _cluster.GetOwner(host.ToLowerInvariant(), stop) : label.ToString().ToLowerInvariant();
    }

    private Resolution Take(AppRoute route, string host)
    {
        var upstream = _routes.Learn(route, host);
        if (upstream is null)
            return new Resolution(ResolveOutcome.NotFound);
        _renewal.Hurry(upstream);
        return new Resolution(ResolveOutcome.Found, upstream);
    }
}
