using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Hosting.Apps;
using Hosting.Gateway.State;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.Routing;

/// <summary>
/// Which upstream serves a host name. Readers take no lock; writers take one, shortly. Snapshots that are not newer than
/// what is known change nothing, so pushes, renewals and answers may come in any order.
/// </summary>
internal sealed class RoutingTable
{
    private readonly Lock _writing = new();
    private readonly ConcurrentDictionary<string, Upstream> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Upstream>.AlternateLookup<ReadOnlySpan<char>> _hostsBySpan;
    private readonly ConcurrentDictionary<string, Upstream> _apps = new(StringComparer.Ordinal);
    private readonly GatewayOptions _options;
    private readonly ClusterModel _model;
    private readonly HttpTransformer _transformer;
    private readonly TimeProvider _time;
    private readonly ILogger<RoutingTable> _logger;
    private IReadOnlyList<string> _apiAddresses = [];

    public RoutingTable(
        GatewayOptions options, ClusterModel model, HttpTransformer transformer, TimeProvider time, ILogger<RoutingTable> logger)
    {
        (_options, _model, _transformer, _time, _logger) = (options, model, transformer, time, logger);
        _hostsBySpan = _hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        Api = new Upstream("api", model, transformer, isApp: false);
        foreach (var host in (string[])["localhost", "127.0.0.1", "[::1]", options.AppsDomain, "api." + options.AppsDomain])
            _hosts[host] = Api;
    }

    /// <summary>Raised after every change that is worth keeping on disk.</summary>
    public event Action? Changed;

    /// <summary>Raised with the host names of an app that was pushed: whoever noted that they lead nowhere forgets it.</summary>
    public event Action<string>? HostAppeared;

    /// <summary>The platform's HTTP API.</summary>
    public Upstream Api { get; }

    /// <summary>Every app that is known.</summary>
    public IEnumerable<Upstream> Apps => _apps.Select(app => app.Value);

    /// <summary>How many apps are known.</summary>
    public int Count => _apps.Count;

    /// <summary>The upstream of a host name without port, if it is known.</summary>
    public bool TryGet(ReadOnlySpan<char> host, [NotNullWhen(true)] out Upstream? upstream) => _hostsBySpan.TryGetValue(host, out upstream);

    /// <summary>Takes an answer in and remembers that <paramref name="host"/> leads to it.</summary>
    /// <returns>Null when there is no such app, or the name is not (any more) the app's.</returns>
    public Upstream? Learn(AppRoute route, string host)
    {
        Upstream? upstream;
        lock (_writing)
        {
            upstream = Merge(route, create: true);
            if (upstream is not null && !IsHostOf(upstream, host))
                upstream = null;
            if (upstream is not null && _hosts.TryAdd(host, upstream))
                upstream.Hosts.Add(host);
        }
        Changed?.Invoke();
        return upstream;
    }

    /// <summary>Takes a pushed or renewed route in, if its app is known. In force when it returns.</summary>
    public void Apply(AppRoute route)
    {
        lock (_writing)
            Merge(route, create: false);
        HostAppeared?.Invoke(AppHost(route.App));
        foreach (var host in route.Hostnames)
            HostAppeared?.Invoke(host);
        Changed?.Invoke();
    }

    /// <summary>Takes a pushed or renewed table in, if its app is known there. In force when it returns.</summary>
    public void Apply(RouteTable table)
    {
        lock (_writing)
        {
            if (!_apps.TryGetValue(table.App, out var upstream) || !TryReplace(upstream.Known!, table, out var merged))
                return;
            Publish(upstream, merged);
        }
        Changed?.Invoke();
    }

    /// <summary>Requests in flight for each container; null when the region's table is older than <paramref name="version"/>.</summary>
    public IReadOnlyList<int>? InFlight(string app, string region, RouteVersion version, IReadOnlyList<string> containers)
    {
        lock (_writing)
        {
            if (!_apps.TryGetValue(app, out var upstream))
                return new int[containers.Count];
            var known = upstream.Known!.Regions.FirstOrDefault(table => table.Region == region);
            return known is not null && version.IsNewerThan(known.Version) ? null : [.. containers.Select(upstream.InFlight)];
        }
    }

    /// <summary>Where the API is now; the order does not matter.</summary>
    public void SetApi(IReadOnlyList<string> addresses)
    {
        lock (_writing)
        {
            var sorted = addresses.Order(StringComparer.Ordinal).ToArray();
            if (sorted.SequenceEqual(_apiAddresses))
                return;
            _apiAddresses = sorted;
            Api.Publish(ReplicaViews.OfApi(sorted, Api.View));
        }
        Changed?.Invoke();
    }

    /// <summary>Forgets an app; it is asked for again with its next request. Requests that have it already go on with it.</summary>
    public void Forget(Upstream upstream)
    {
        lock (_writing)
            Remove(upstream);
        Changed?.Invoke();
    }

    /// <summary>Everything known, for the disk.</summary>
    public SavedRoutes Save()
    {
        lock (_writing)
        {
            var apps = _apps.Select(app => new SavedApp { Route = app.Value.Known!, Hosts = [.. app.Value.Hosts] });
            return new SavedRoutes { Api = _apiAddresses, Apps = [.. apps] };
        }
    }

    /// <summary>Takes what was saved in. Call it before anything else is known.</summary>
    public void Restore(SavedRoutes saved)
    {
        SetApi(saved.Api);
        foreach (var app in saved.Apps)
        {
            foreach (var host in app.Hosts)
                Learn(app.Route, host);
        }
    }

    private string AppHost(string app) => $"{app}.{_options.AppsDomain}";

    private bool IsHostOf(Upstream upstream, string host) =>
        host.Equals(AppHost(upstream.Name), StringComparison.OrdinalIgnoreCase)
        || upstream.Known!.Hostnames.Contains(host, StringComparer.OrdinalIgnoreCase);

    private Upstream? Merge(AppRoute route, bool create)
    {
        if (!_apps.TryGetValue(route.App, out var upstream))
            return create && route.Regions.Count > 0 ? Add(route) : null;
        var known = upstream.Known!;
        if (!route.Version.IsNewerThan(known.Version))
            return WithTables(upstream, route);
        if (route.Regions.Count == 0)
        {
            Remove(upstream);
            upstream.Publish(new ReplicaView([], [], gone: true));
            return null;
        }
        Publish(upstream, route with { Regions = [.. route.Regions.Select(table => Newer(known, table))] });
        ForgetOtherHosts(upstream);
        return upstream;
    }

    private Upstream Add(AppRoute route)
    {
        var upstream = new Upstream(route.App, _model, _transformer, isApp: true);
        upstream.Touch(_time.GetTimestamp());
        Publish(upstream, route);
        return _apps[route.App] = upstream;
    }

    private Upstream WithTables(Upstream upstream, AppRoute route)
    {
        foreach (var table in route.Regions)
        {
            if (TryReplace(upstream.Known!, table, out var merged))
                Publish(upstream, merged);
        }
        return upstream;
    }

    private static RouteTable Newer(AppRoute known, RouteTable table)
    {
        var old = known.Regions.FirstOrDefault(other => other.Region == table.Region);
        return old is not null && old.Version.IsNewerThan(table.Version) ? old : table;
    }

    /// <summary>False when the region is none of the app's (then the app's route tells), or the table is not newer.</summary>
    private static bool TryReplace(AppRoute known, RouteTable table, [NotNullWhen(true)] out AppRoute? merged)
    {
        merged = null;
        var old = known.Regions.FirstOrDefault(other => other.Region == table.Region);
        if (old is null || !table.Version.IsNewerThan(old.Version))
            return false;
        merged = known with { Regions = [.. known.Regions.Select(other => other == old ? table : other)] };
        return true;
    }

    private void Publish(Upstream upstream, AppRoute route)
    {
        upstream.Known = route;
        upstream.Publish(ReplicaViews.OfApp(route, _options.Region, upstream.View, out var skipped));
        if (skipped > 0)
            _logger.LogWarning("{Skipped} containers of app {App} have no usable address and get no traffic.", skipped, route.App);
    }

    private void ForgetOtherHosts(Upstream upstream)
    {
        foreach (var host in upstream.Hosts.Where(host => !IsHostOf(upstream, host)).ToArray())
        {
            upstream.Hosts.Remove(host);
            _hosts.TryRemove(host, out _);
        }
    }

    private void Remove(Upstream upstream)
    {
        if (!_apps.TryRemove(KeyValuePair.Create(upstream.Name, upstream)))
            return;
        foreach (var host in upstream.Hosts)
            _hosts.TryRemove(host, out _);
    }
}
