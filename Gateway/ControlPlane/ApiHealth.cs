using Hosting.Gateway.Routing;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.ControlPlane;

/// <summary>
/// Asks every silo again and again whether it answers at all. A frozen one, or one whose machine is cut off, goes on taking requests: whoever is sent
/// there would wait in vain until the others have given it up and it has left the list.
/// </summary>
internal sealed class ApiHealth(RoutingTable routes, ClusterModel model, GatewayTimings timings, TimeProvider time, ILogger<ApiHealth> logger) : BackgroundService
{
    /// <summary>Asks until the gateway stops. Of a single silo there is nothing to know: it is used, whatever it does.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(timings.ApiHealth, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (routes.Api.View.Near is { Length: > 1 } silos)
                await Task.WhenAll(silos.Select(silo => Ask(silo, stoppingToken)));
        }
    }

    private async Task Ask(Replica silo, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(timings.ApiSilent, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, silo.Prefix + "healthz");
            using var answer = await model.HttpClient.SendAsync(request, either.Token);
            silo.IsSilent = false;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            if (!silo.IsSilent)
                logger.LogInformation("Silo {Silo} does not answer; requests to the API go to the others for now.", silo.Destination.DestinationId);
            silo.IsSilent = true;
        }
    }
}
