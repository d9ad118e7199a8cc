using Hosting.Apps;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.Routing;

/// <summary>What requests are delivered to: an app, or the API. Changed by <see cref="RoutingTable"/> only.</summary>
internal sealed class Upstream
{
    private static readonly RouteConfig SharedRoute = new() { RouteId = "upstream", Match = new RouteMatch { Path = "{**path}" } };
    private readonly Lock _changing = new();
    private volatile ReplicaView _view = new([], []);
    private List<Replica> _leaving = [];
    private uint _turn;
    private long _lastUsed;
    private int _parked;
    private int _renewing;

    /// <summary>An upstream without replicas.</summary>
    /// <param name="name">Name of the app.</param>
    /// <param name="model">HTTP client and settings, shared by all upstreams of a kind.</param>
    /// <param name="transformer">Headers of requests and answers, shared too.</param>
    /// <param name="isApp">Whether it is an app, not the API.</param>
    public Upstream(string name, ClusterModel model, HttpTransformer transformer, bool isApp)
    {
        Name = name;
        IsApp = isApp;
        Cluster = new ClusterState(name, model);
        Route = new RouteModel(SharedRoute, Cluster, transformer);
    }

    /// <summary>Name of the app.</summary>
    public string Name { get; }

    /// <summary>Whether it is an app, not the API.</summary>
    public bool IsApp { get; }

    /// <summary>As YARP knows it.</summary>
    public ClusterState Cluster { get; }

    /// <summary>As YARP knows it.</summary>
    public RouteModel Route { get; }

    /// <summary>The replicas in force.</summary>
    public ReplicaView View => _view;

    /// <summary>The last route of an app, with the newest tables of its regions; null for the API.</summary>
    public AppRoute? Known { get; set; }

    /// <summary>Host names that lead here; guarded by the routing table.</summary>
    public List<string> Hosts { get; } = new(1);

    /// <summary>Requests that wait for a replica now.</summary>
    public ref int Parked => ref _parked;

    /// <summary>When its subscriptions are renewed next, as a timestamp of the clock.</summary>
    public long RenewAt { get; set; }

    /// <summary>When they were renewed last, as a timestamp of the clock; 0 for never.</summary>
    public long RenewedAt { get; set; }

    /// <summary>1 while a renewal is under way.</summary>
    public ref int Renewing => ref _renewing;

    /// <summary>When it was asked for last, as a timestamp of the clock.</summary>
    public long LastUsed => Volatile.Read(ref _lastUsed);

    /// <summary>A request for it came.</summary>
    public void Touch(long now) => Volatile.Write(ref _lastUsed, now);

    /// <summary>Whether requests are in flight.</summary>
    public bool IsBusy => Holding(_ => true) > 0;

    /// <summary>
    /// The replica for a request's next try, which it has entered and has to <see cref="Replica.Leave"/>; null when there is
    /// none that it did not try.
    /// </summary>
    public Replica? Enter(List<Replica>? tried, TimeProvider time, int saturated)
    {
        while (ReplicaChoice.Choose(_view, Interlocked.Increment(ref _turn), (uint)Random.Shared.Next(), tried, time, saturated) is { } replica)
        {
            if (replica.TryEnter())
                return replica;
        }
        return null;
    }

    /// <summary>Requests in flight for a container, also for one that left the view.</summary>
    public int InFlight(string container) => Holding(replica => replica.Destination.DestinationId == container);

    /// <summary>Puts a view in force and wakes up the requests that wait for one. What left the view takes no more requests then.</summary>
    public void Publish(ReplicaView view)
    {
        lock (_changing)
        {
            var old = _view;
            Cluster.DestinationsState = Destinations(view);
            _view = view;
            var gone = All(old).Except(All(view)).ToList();
            gone.ForEach(replica => replica.Retire());
            _leaving = [.. _leaving.Where(replica => replica.InFlight > 0), .. gone];
            old.Supersede();
        }
    }

    private int Holding(Func<Replica, bool> which)
    {
        lock (_changing)
            return All(_view).Concat(_leaving).Where(which).Sum(replica => replica.InFlight);
    }

    private static IEnumerable<Replica> All(ReplicaView view) => view.Near.Concat(view.Far);

    private static ClusterDestinationsState Destinations(ReplicaView view)
    {
        DestinationState[] near = [.. view.Near.Select(replica => replica.Destination)];
        DestinationState[] all = view.Far.Length == 0 ? near : [.. near, .. view.Far.Select(replica => replica.Destination)];
        return new ClusterDestinationsState(all, near.Length > 0 ? near : all);
    }
}
