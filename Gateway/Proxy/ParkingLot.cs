using Hosting.Gateway.Metrics;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.Proxy;

/// <summary>Where requests wait for a replica, in limited number for each upstream and over all.</summary>
internal sealed class ParkingLot(GatewayTimings timings, GatewayMetrics metrics, TimeProvider time)
{
    private int _parked;

    /// <summary>Waits until the view is superseded or the time is over. False when too many wait already.</summary>
    public async Task<bool> TryWait(Upstream upstream, ReplicaView view, TimeSpan timeout, CancellationToken abort)
    {
        if (!TryEnter(upstream))
            return false;
        metrics.ParkedTotal.Inc();
        metrics.Parked.Inc();
        try
        {
            await view.Superseded.WaitAsync(timeout, time, abort);
            await Spread(upstream, abort);
        }
        catch (TimeoutException)
        {
            // The caller looks at the clock.
        }
        finally
        {
            metrics.Parked.Dec();
            Leave(upstream);
        }
        return true;
    }

    /// <summary>
    /// All at once they would fill the backlog of a container that has just started; whoever finds it full has to try again, and the kernel
    /// lets him wait a second for that.
    /// </summary>
    private Task Spread(Upstream upstream, CancellationToken abort)
    {
        var replicas = Math.Max(1, upstream.View.Near.Length + upstream.View.Far.Length);
        var place = timings.Apart * Random.Shared.Next(Math.Max(1, upstream.Parked)) / replicas;
        return Task.Delay(place < timings.LongestSpread ? place : timings.LongestSpread, time, abort);
    }

    private bool TryEnter(Upstream upstream)
    {
        var mine = Interlocked.Increment(ref upstream.Parked);
        var all = Interlocked.Increment(ref _parked);
        if (mine <= timings.MaxParkedPerApp && all <= timings.MaxParked)
            return true;
        Leave(upstream);
        return false;
    }

    private void Leave(Upstream upstream)
    {
        Interlocked.Decrement(ref upstream.Parked);
        Interlocked.Decrement(ref _parked);
    }
}
