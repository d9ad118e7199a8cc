using Hosting.Gateway.Metrics;
using Hosting.Gateway.Proxy;
using Hosting.Gateway.Routing;

namespace Hosting.Gateway.Tests;

public sealed class ParkingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly RecordingTime _time = new();

    [Fact]
    public async Task Who_waited_for_a_container_does_not_come_all_at_once()
    {
        Assert.True(await Wait(100));
        var after = _time.Timers.Where(due => due < Patience).ToList();
        Assert.InRange(after.Max(), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(300));
        Assert.True(after.Distinct().Count() > 40, $"{after.Distinct().Count()} different times");
    }

    [Fact]
    public async Task Who_waited_alone_comes_at_once()
    {
        Assert.True(await Wait(1));
        Assert.DoesNotContain(_time.Timers, due => due < Patience);
    }

    /// <summary>So many wait until there is a container.</summary>
    private async Task<bool> Wait(int requests)
    {
        var upstream = new Upstream("shop", UpstreamClient.CreateModel(), new ForwardedHeaders(), isApp: true);
        var lot = new ParkingLot(new GatewayTimings(), new GatewayMetrics(), _time);
        var empty = upstream.View;
        var waiting = Enumerable.Range(0, requests).Select(_ => lot.TryWait(upstream, empty, Patience, CancellationToken.None)).ToList();
        upstream.Publish(new ReplicaView([Replica.TryCreate("shop-1", "http://127.0.0.1:1/")!], []));
        return (await Task.WhenAll(waiting)).All(waited => waited);
    }

    /// <summary>Notes for when timers are set.</summary>
    private sealed class RecordingTime : TimeProvider
    {
        private readonly List<TimeSpan> _timers = [];

        public IReadOnlyList<TimeSpan> Timers
        {
            get
            {
                lock (_timers)
                    return [.. _timers];
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_timers)
                _timers.Add(dueTime);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
