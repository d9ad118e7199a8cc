using Hosting.Gateway.ControlPlane;
using Hosting.Gateway.Metrics;
using Hosting.Gateway.Routing;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Hosting.Gateway.Proxy;

/// <summary>
/// Delivers a request to an upstream: one try in the usual case; after a failure that is safe to repeat, other replicas in
/// rounds of three, and between rounds, or while there is no replica at all, it waits for a change. So it does before the last try after
/// resets: replicas that die together, with their VM, each reset a request first and only refuse connections then.
/// </summary>
internal sealed class Delivery(
    GatewayOptions options, GatewayTimings timings, Renewal renewal, ParkingLot parking, GatewayMetrics metrics, TimeProvider time,
    ILogger<Delivery> logger)
{
    private const int TriesPerRound = 3;
    private const int MaxResets = 3;
    private static readonly TimeSpan ParkCheck = TimeSpan.FromSeconds(2);

    /// <summary>Delivers the request; in every case it is answered afterwards, unless its client went away.</summary>
    public async Task Deliver(HttpContext context, RequestDelegate forward, Upstream upstream)
    {
        context.ReassignProxyRequest(upstream.Route, upstream.Cluster);
        var replica = upstream.Enter(null, time, options.SaturatedAt);
        var failure = replica is null ? DeliveryFailure.NoReplica : await Try(context, forward, upstream, replica);
        if (failure != DeliveryFailure.None)
            await Recover(context, forward, upstream, replica, failure);
    }

    private async Task<DeliveryFailure> Try(HttpContext context, RequestDelegate forward, Upstream upstream, Replica replica)
    {
        context.GetReverseProxyFeature().AvailableDestinations = replica.Destination;
        RouteTaken.Note(context, replica);
        try
        {
            await forward(context);
        }
        finally
        {
            replica.Leave();
        }
        if (context.Features.Get<IForwarderErrorFeature>() is { } error)
            return Failed(context, upstream, replica, error);
        replica.Succeeded();
        return DeliveryFailure.None;
    }

    private DeliveryFailure Failed(HttpContext context, Upstream upstream, Replica replica, IForwarderErrorFeature error)
    {
        if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
            return DeliveryFailure.None;
        var failure = DeliveryFailures.Classify(error, context.Response.StatusCode);
        if (failure == DeliveryFailure.Connect && replica.Eject(time) is { } pause)
        {
            metrics.Ejections.Inc();
            if (pause == Replica.FirstEjection)
                logger.LogInformation("{Replica} of {App} accepts no connection; it is left out for now.", replica.Destination.DestinationId, upstream.Name);
        }
        if (failure is DeliveryFailure.Connect or DeliveryFailure.Reset)
            Reset(context);
        return failure;
    }

    /// <summary>Makes the request as good as new; YARP refuses one that has an answer.</summary>
    private static void Reset(HttpContext context)
    {
        context.Response.Clear();
        context.Features.Set<IForwarderErrorFeature>(null);
    }

    private async Task Recover(HttpContext context, RequestDelegate forward, Upstream upstream, Replica? replica, DeliveryFailure failure)
    {
        var started = time.GetTimestamp();
        var tried = new List<Replica>(TriesPerRound);
        var resets = 0;
        while (failure != DeliveryFailure.None)
        {
            resets += failure == DeliveryFailure.Reset ? 1 : 0;
            if (resets >= MaxResets || !DeliveryFailures.MayRepeat(failure, context.Request, HasBody(context)))
            {
                await Problem.Broken(upstream.Name, failure == DeliveryFailure.Reset ? 502 : context.Response.StatusCode).Write(context);
                return;
            }
            if (replica is not null)
                tried.Add(replica);
            (replica, var problem) = await Next(context, upstream, tried, started, settle: resets == MaxResets - 1 && failure == DeliveryFailure.Reset);
            if (replica is null)
            {
                await problem.Write(context);
                return;
            }
            metrics.Retries.WithLabels(failure.ToString()).Inc();
            failure = await Try(context, forward, upstream, replica);
        }
    }

    /// <summary>The replica for the next try, waiting for one where there is none, and for a change first if it is to; without one, what to answer.</summary>
    private async Task<(Replica? Replica, Problem Problem)> Next(HttpContext context, Upstream upstream, List<Replica> tried, long started, bool settle)
    {
        for (; ; settle = false)
        {
            var view = upstream.View;
            if (!settle && tried.Count < TriesPerRound && upstream.Enter(tried, time, options.SaturatedAt) is { } replica)
                return (replica, default);
            if (await WaitForChange(context, upstream, view, started) is { } problem)
                return (null, problem);
            if (!settle)
                tried.Clear();
        }
    }

    /// <summary>Null when it is worth another round, else the answer.</summary>
    private async Task<Problem?> WaitForChange(HttpContext context, Upstream upstream, ReplicaView view, long started)
    {
        if (upstream.View.Gone)
            return Problem.NotFound(context.Request.Host.Host);
        var left = (upstream.IsApp ? options.Park : timings.ApiPark) - time.GetElapsedTime(started);
        if (left <= TimeSpan.Zero)
            return GivenUp(upstream);
        renewal.Hurry(upstream);
        var pause = view.IsEmpty ? ParkCheck : timings.Round;
        return await parking.TryWait(upstream, view, pause < left ? pause : left, context.RequestAborted) ? null : Problem.Full(upstream.Name);
    }

    private static Problem GivenUp(Upstream upstream) => upstream switch
    {
        { IsApp: false } => Problem.NoApi,
        { View.IsEmpty: true } => Problem.NoContainer(upstream.Name),
        _ => Problem.Unreachable(upstream.Name),
    };

    private static bool HasBody(HttpContext context) => context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false;
}
