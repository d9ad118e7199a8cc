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
