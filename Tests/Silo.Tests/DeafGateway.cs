using Hosting.Apps;

namespace Hosting.Silo.Tests;

/// <summary>A gateway that confirms everything and has nothing in flight.</summary>
internal sealed class DeafGateway : IRouteObserver
{
    public Task AppChanged(AppRoute route) => Task.CompletedTask;

    public Task TableChanged(RouteTable table) => Task.CompletedTask;

    public Task<IReadOnlyList<int>?> InFlight(string app, string region, RouteVersion version, IReadOnlyList<string> containers) =>
        Task.FromResult<IReadOnlyList<int>?>([.. containers.Select(_ => 0)]);
}
