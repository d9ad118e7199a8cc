using Hosting.Apps;
using Hosting.Placement;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Apps;

/// <summary>Makes the routing table of a region's share, and tells gateways when it changed.</summary>
internal sealed class RoutePublisher(string app, string region, TimeProvider clock, ILogger log)
{
    private readonly GatewaySubscriptions _gateways = new(clock, log);

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
        return known is { } version && !Table.Version.IsNewerThan(version) ? null : Table;
    }

    /// <summary>When the containers that get traffic changed: makes the next table and waits for the gateways' confirmation.</summary>
    public async Task Publish(IEnumerable<ContainerRecord> containers)
    {
        RouteEndpoint[] endpoints =
        [
            .. containers.Where(c => c.GetsTraffic)
                .Select(c => new RouteEndpoint(c.Id, c.Endpoint!))
                .OrderBy(e => e.Container, StringComparer.Ordinal),
        ];
        if (endpoints.SequenceEqual(Table.Endpoints))
            return;
        var table = Table with
        {
            Version = Table.Version with { Number = Table.Version.Number + 1 },
            Endpoints = endpoints,
        };
        Table = table;
        await _gateways.Publish(gateway => gateway.TableChanged(table));
    }
}
