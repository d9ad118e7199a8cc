using Hosting.Apps;
using Hosting.Placement;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Apps;

/// <summary>Makes the routing table of a region's share, and tells gateways when it changed.</summary>
/// <param name="app">Name of the app.</param>
/// <param name="region">Name of the region.</param>
/// <param name="clock">The clock of versions and leases.</param>
/// <param name="log">Where a gateway that does not answer is noted.</param>
/// <param name="first">Whether nobody can have watched this app here before, so that every gateway there is, is known.</param>
internal sealed class RoutePublisher(string app, string region, TimeProvider clock, ILogger log, bool first)
{
    // Gateways renew every 10 to 15 s: an activation that follows another one knows all of them after that.
    private static readonly TimeSpan RenewedWithin = TimeSpan.FromSeconds(16);

    private readonly GatewaySubscriptions _gateways = new(clock, log);
    private readonly DateTimeOffset _knowsGatewaysAt = first ? DateTimeOffset.MinValue : clock.GetUtcNow() + RenewedWithin;
    private Task _published = Task.CompletedTask;

    /// <summary>The newest table.</summary>
    public RouteTable Table { get; private set; } = new()
    {
        App = app,
        Region = region,
        Version = new RouteVersion(clock.GetUtcNow().UtcTicks, 0),
        Endpoints = [],
    };

    /// <summary>Subscribes a gateway; null when it knows the newest table.</summary>
    public RouteTable? Watch(IRouteObserver gateway, RouteVersion? known)
    {
        _gateways.Add(gateway);
        if (known is not { } version || Table.Version.IsNewerThan(version))
            return Table;
        if (version == Table.Version)
            return null;
        // It was made by an activation whose clock was ahead of this one's.
        Table = Table with { Version = version.NextEpoch() };
        return Table;
    }

    /// <summary>
    /// When the containers that get traffic changed: makes the next table. Waits for the gateways' confirmation of the newest
    /// table, also when another caller made it.
    /// </summary>
    public Task Publish(IEnumerable<ContainerRecord> containers)
    {
        RouteEndpoint[] endpoints =
        [
            .. containers.Where(c => c.GetsTraffic)
                .Select(c => new RouteEndpoint(c.Id, c.Endpoint!))
                .OrderBy(e => e.Container, StringComparer.Ordinal),
        ];
        if (endpoints.SequenceEqual(Table.Endpoints))
            return _published;
        var table = Table with
        {
            Version = Table.Version with { Number = Table.Version.Number + 1 },
            Endpoints = endpoints,
        };
        Table = table;
        return _published = _gateways.Publish(gateway => gateway.TableChanged(table));
    }

    /// <summary>
    /// Of these containers, which are out of the table, those that a gateway may still send requests to, or has some in
    /// flight for. A gateway that has missed the newest table gets it again. Never fails, takes at most 2 s.
    /// </summary>
    public async Task<IReadOnlySet<string>> Busy(IReadOnlyList<string> containers)
    {
        if (clock.GetUtcNow() < _knowsGatewaysAt)
            return containers.ToHashSet(StringComparer.Ordinal);
        var table = Table;
        var busy = new HashSet<string>(StringComparer.Ordinal);
        foreach (var counts in await _gateways.Ask(gateway => AskOne(gateway, table, containers)))
            busy.UnionWith(containers.Where((_, i) => counts is null || i >= counts.Count || counts[i] > 0));
        return busy;
    }

    private async Task<IReadOnlyList<int>?> AskOne(IRouteObserver gateway, RouteTable table, IReadOnlyList<string> containers)
    {
        if (await gateway.InFlight(app, region, table.Version, containers) is { } counts)
            return counts;
        await gateway.TableChanged(table);
        return null;
    }
}
