using Hosting.Gateway.ControlPlane;
using Hosting.Gateway.Proxy;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.Metrics;

/// <summary>Health and metrics of the gateway itself, on a loopback port of their own.</summary>
internal static class AdminEndpoints
{
    /// <summary>Answers everything that comes in by the admin port.</summary>
    public static void UseAdmin(this WebApplication app, int port)
    {
        if (port != 0)
            app.MapWhen(context => context.Connection.LocalPort == port, admin => admin.Run(Answer));
    }

    private static Task Answer(HttpContext context) => context.Request.Path.Value switch
    {
        "/healthz" => context.Response.WriteAsync("ok\n"),
        "/readyz" => Ready(context),
        "/metrics" => Metrics(context),
        _ => NotFound(context),
    };

    /// <summary>Ready when it knows something to serve, or can ask.</summary>
    private static Task Ready(HttpContext context)
    {
        var services = context.RequestServices;
        if (services.GetRequiredService<Departure>().IsLeaving)
            return Unready(context, "leaving: it was told to stop\n");
        if (services.GetRequiredService<ClusterConnection>().IsUp)
            return context.Response.WriteAsync("ok\n");
        if (services.GetRequiredService<RoutingTable>().Count > 0)
            return context.Response.WriteAsync("ok, serving known routes: the control plane does not answer\n");
        return Unready(context, "the control plane does not answer and no route is known\n");
    }

    private static Task Unready(HttpContext context, string why)
    {
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(why);
    }

    private static Task Metrics(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        var registry = context.RequestServices.GetRequiredService<GatewayMetrics>().Registry;
        return registry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
    }

    private static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("try /healthz, /readyz or /metrics\n");
    }
}
