using Hosting.Apps;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.ControlPlane;

/// <summary>Takes pushes of routes. A call returns once the route is in force: it is the gateway's confirmation.</summary>
internal sealed class RouteObserver(RoutingTable routes) : IRouteObserver
{
    public Task AppChanged(AppRoute route)
    {
        routes.Apply(route);
        return Task.CompletedTask;
    }

    public Task TableChanged(RouteTable table)
    {
        routes.Apply(table);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<int>?> InFlight(string app, string region, RouteVersion version, IReadOnlyList<string> containers) =>
        Task.FromResult(routes.InFlight(app, region, version, containers));
}
