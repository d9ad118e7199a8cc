namespace Hosting.Apps;

/// <summary>How long a gateway's subscription lasts.</summary>
public static class RouteLease
{
    /// <summary>Seconds until a subscription that was not renewed ends. Gateways renew every 10 to 15 s.</summary>
    public const int Seconds = 40;
}

/// <summary>Version of a routing snapshot: newer when the epoch is higher, or equal with a higher number.</summary>
/// <param name="Epoch">Raised by every activation of the snapshot's grain (its start in UTC ticks; more, when its clock is behind an earlier one's).</param>
/// <param name="Number">Raised by every change within the activation.</param>
[GenerateSerializer, Alias("hosting.RouteVersion")]
public readonly record struct RouteVersion([property: Id(0)] long Epoch, [property: Id(1)] long Number)
{
    /// <summary>Whether this snapshot replaces the other.</summary>
    public bool IsNewerThan(RouteVersion other) =>
        Epoch > other.Epoch || (Epoch == other.Epoch && Number > other.Number);

    /// <summary>The first version of an epoch above this one.</summary>
    public RouteVersion NextEpoch() => new(Epoch + 1, 0);
}

/// <summary>Where an app runs: what a gateway asks for once, when it sees the app's host name the first time.</summary>
[GenerateSerializer, Alias("hosting.AppRoute")]
public sealed record AppRoute
{
    /// <summary>Name of the app.</summary>
    [Id(0)] public required string App { get; init; }

    /// <summary>Version of this snapshot, without the versions of its tables.</summary>
    [Id(1)] public required RouteVersion Version { get; init; }

    /// <summary>The app's own host names: a gateway that knows it by another one forgets that name.</summary>
    [Id(2)] public IReadOnlyList<string> Hostnames { get; init; } = [];

    /// <summary>Routes by region; empty when there is no such app (any more).</summary>
    [Id(3)] public required IReadOnlyList<RouteTable> Regions { get; init; }
}

/// <summary>The containers of one app in one region that get traffic.</summary>
[GenerateSerializer, Alias("hosting.RouteTable")]
public sealed record RouteTable
{
    /// <summary>Name of the app.</summary>
    [Id(0)] public required string App { get; init; }

    /// <summary>Name of the region.</summary>
    [Id(1)] public required string Region { get; init; }

    /// <summary>Version of this snapshot.</summary>
    [Id(2)] public required RouteVersion Version { get; init; }

    /// <summary>Running, healthy, not draining.</summary>
    [Id(3)] public required IReadOnlyList<RouteEndpoint> Endpoints { get; init; }
}

/// <summary>One container that gets traffic.</summary>
/// <param name="Container">Id of the container.</param>
/// <param name="Address">Where a gateway reaches it, <c>address:port</c>.</param>
[GenerateSerializer, Alias("hosting.RouteEndpoint")]
public readonly record struct RouteEndpoint([property: Id(0)] string Container, [property: Id(1)] string Address);

/// <summary>A gateway, as grains see it. Each call is awaited (within 2 s) as the gateway's confirmation; a lost one costs a renewal.</summary>
[Alias("hosting.IRouteObserver")]
public interface IRouteObserver : IGrainObserver
{
    /// <summary>An app moved to other regions, changed its host names, or is gone.</summary>
    [Alias("AppChanged")] Task AppChanged(AppRoute route);

    /// <summary>The containers of an app in a region changed.</summary>
    [Alias("TableChanged")] Task TableChanged(RouteTable table);

    /// <summary>
    /// How many requests this gateway has in flight for each of these containers, in their order; WebSockets and streams
    /// count until they end. Null when it does not route by <paramref name="version"/> of the region's table yet, so that
    /// more may come. Asked while containers drain.
    /// </summary>
    [Alias("InFlight")] Task<IReadOnlyList<int>?> InFlight(string app, string region, RouteVersion version, IReadOnlyList<string> containers);
}
