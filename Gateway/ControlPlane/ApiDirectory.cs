using Hosting.Gateway.Routing;

namespace Hosting.Gateway.ControlPlane;

/// <summary>Keeps the addresses of the HTTP API fresh. Without an answer, or with an empty one, the last addresses stay.</summary>
internal sealed class ApiDirectory(ClusterConnection cluster, RoutingTable routes, GatewayTimings timings, TimeProvider time) : BackgroundService
{
    /// <summary>Starts with the connection.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await cluster.Connected.WaitAsync(stoppingToken);
        while (true)
        {
            await Refresh(stoppingToken);
            await Task.Delay(timings.ApiRefresh, time, stoppingToken);
        }
    }

    private async Task Refresh(CancellationToken stop)
    {
        try
        {
            var addresses = await cluster.GetApiAddresses(stop);
            if (addresses.Count > 0)
                routes.SetApi(addresses);
        }
        catch (ControlPlaneException)
        {
            // The connection logs it; the next refresh comes soon.
        }
    }
}
