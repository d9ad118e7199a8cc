using System.Collections.Concurrent;
using Hosting.Apps;
using Hosting.Gateway.ControlPlane;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;

[assembly: AssemblyFixture(typeof(Hosting.Gateway.Tests.Platform))]

namespace Hosting.Gateway.Tests;

/// <summary>A silo with scripted grains: what a gateway sees of the control plane.</summary>
public sealed class Platform : IAsyncLifetime
{
    private InProcessTestCluster _cluster = null!;

    /// <summary>What the grains answer.</summary>
    public Script Script { get; } = new();

    public async ValueTask InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.Services.AddSingleton(Script));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>Ends the control plane, as a power cut would.</summary>
    public Task Kill() => _cluster.KillSiloAsync(_cluster.Silos[0]);

    /// <summary>How a gateway of a test reaches the grains.</summary>
    internal Task<ConnectedClient> Connect(Action silosChanged, CancellationToken stop) =>
        Task.FromResult(new ConnectedClient(_cluster.Client, () => Task.CompletedTask));
}

/// <summary>The answers of the scripted grains, the calls they got, and the gateways that subscribed.</summary>
public sealed class Script
{
    private readonly ConcurrentDictionary<string, ScriptedApp> _apps = new();

    /// <summary>Owners of host names.</summary>
    public ConcurrentDictionary<string, string> Owners { get; } = new();

    /// <summary>How often a host name's owner was asked for.</summary>
    public ConcurrentDictionary<string, int> OwnerCalls { get; } = new();

    /// <summary>Where the API is.</summary>
    public IReadOnlyList<string> Api { get; set; } = [];

    /// <summary>The app of a name; it does not exist until it gets a region.</summary>
    public ScriptedApp App(string name) => _apps.GetOrAdd(name, key => new ScriptedApp(key));
}

/// <summary>An app as its grains know it.</summary>
public sealed class ScriptedApp(string name)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RouteTable> _tables = [];
    private readonly HashSet<IRouteObserver> _appObservers = [];
    private readonly HashSet<IRouteObserver> _tableObservers = [];
    private readonly TaskCompletionSource _tableWatched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RouteVersion _version = new(1, 1);
    private IReadOnlyList<string> _hostnames = [];
    private int _appCalls;
    private int _version2;

    /// <summary>Holds answers back until it completes.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>How often the app was asked for.</summary>
    public int AppCalls => Volatile.Read(ref _appCalls);

    /// <summary>Completes when a gateway subscribed to a region's table.</summary>
    public Task TableWatched => _tableWatched.Task;

    /// <summary>Sets the containers of a region, without a word to the gateways.</summary>
    public RouteTable Put(string region, params IEnumerable<RouteEndpoint> endpoints)
    {
        lock (_lock)
        {
            if (!_tables.ContainsKey(region))
                _version = _version with { Number = _version.Number + 1 };
            return _tables[region] = new RouteTable
            {
                App = name, Region = region, Version = new RouteVersion(1, ++_version2), Endpoints = [.. endpoints],
            };
        }
    }

    /// <summary>Sets the containers of a region and returns when every gateway has confirmed.</summary>
    public Task Push(string region, params IEnumerable<RouteEndpoint> endpoints)
    {
        var table = Put(region, endpoints);
        return Task.WhenAll(Observers(_tableObservers).Select(observer => observer.TableChanged(table)));
    }

    /// <summary>What the one gateway that subscribed says it has in flight for these containers, by the newest table.</summary>
    public Task<IReadOnlyList<int>?> InFlight(string region, params string[] containers) =>
        Observers(_tableObservers).Single().InFlight(name, region, _tables[region].Version, containers);

    /// <summary>Pushes any table, for example an old one.</summary>
    public Task Push(RouteTable table) => Task.WhenAll(Observers(_tableObservers).Select(observer => observer.TableChanged(table)));

    /// <summary>Changes the app's host names.</summary>
    public void SetHostnames(params string[] hostnames)
    {
        lock (_lock)
        {
            _hostnames = hostnames;
            _version = _version with { Number = _version.Number + 1 };
        }
    }

    /// <summary>The app is gone.</summary>
    public void Delete()
    {
        lock (_lock)
        {
            _tables.Clear();
            _version = _version with { Number = _version.Number + 1 };
        }
    }

    /// <summary>Tells every gateway about the app as it is now.</summary>
    public Task PushApp() => Task.WhenAll(Observers(_appObservers).Select(observer => observer.AppChanged(Route())));

    internal async Task<AppRoute?> WatchApp(IRouteObserver observer, RouteVersion? known)
    {
        Interlocked.Increment(ref _appCalls);
        await Gate;
        lock (_lock)
        {
            _appObservers.Add(observer);
            return known is { } version && !_version.IsNewerThan(version) ? null : Route();
        }
    }

    internal RouteTable? WatchTable(string region, IRouteObserver observer, RouteVersion? known)
    {
        lock (_lock)
        {
            _tableObservers.Add(observer);
            _tableWatched.TrySetResult();
            var table = _tables.GetValueOrDefault(region);
            return table is null || (known is { } version && !table.Version.IsNewerThan(version)) ? null : table;
        }
    }

    private AppRoute Route() => new() { App = name, Version = _version, Hostnames = _hostnames, Regions = [.. _tables.Values] };

    private IRouteObserver[] Observers(HashSet<IRouteObserver> observers)
    {
        lock (_lock)
            return [.. observers];
    }
}
