using Hosting.Gateway.Metrics;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.Proxy;

/// <summary>Finds the upstream of a request by its host name and has it delivered. The step of YARP's pipeline in front of its forwarder.</summary>
internal sealed class HostRouting(
    GatewayOptions options, RoutingTable routes, Resolver resolver, Delivery delivery, Departure departure, GatewayMetrics metrics, TimeProvider time,
    ILogger<HostRouting> logger)
{
    /// <summary>Handles a request to its end.</summary>
    public async Task Handle(HttpContext context, RequestDelegate forward)
    {
        departure.Note(context);
        try
        {
            await Route(context, forward);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away while its request waited.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            logger.LogError(e, "A request for {Host} failed in the gateway; this is a defect, please report it.", context.Request.Host.Value);
            await Problem.Defect.Write(context);
        }
        finally
        {
            metrics.Answered(context.Response.StatusCode, context.RequestAborted.IsCancellationRequested);
        }
    }

    private Task Route(HttpContext context, RequestDelegate forward)
    {
        var host = HostName.WithoutPort(context.Request.Headers.Host.ToString());
        if (routes.TryGet(host, out var upstream))
        {
            upstream.Touch(time.GetTimestamp());
            return delivery.Deliver(context, forward, upstream);
        }
        return HostName.Classify(host, options.AppsDomain) switch
        {
            HostKind.Invalid => Problem.BadHost.Write(context),
            HostKind.Api => delivery.Deliver(context, forward, routes.Api),
            _ => ResolveThenDeliver(context, forward, host.ToString()),
        };
    }

    private async Task ResolveThenDeliver(HttpContext context, RequestDelegate forward, string host)
    {
        var resolution = await resolver.Resolve(host, context.RequestAborted);
        await (resolution.Outcome switch
        {
            ResolveOutcome.Found => delivery.Deliver(context, forward, resolution.Upstream!),
            ResolveOutcome.NotFound => Problem.NotFound(host).Write(context),
            ResolveOutcome.TooBusy => Problem.Busy.Write(context),
            _ => Problem.NoControlPlane.Write(context),
        });
    }
}
