using Hosting.Apps;

namespace Hosting.Gateway.Routing;

/// <summary>Makes views out of routes. A replica that stays keeps its count of requests and its ejection.</summary>
internal static class ReplicaViews
{
    /// <summary>The replicas of an app, as a gateway of <paramref name="ownRegion"/> (may be empty) sees them.</summary>
    public static ReplicaView OfApp(AppRoute route, string ownRegion, ReplicaView old, out int skipped)
    {
        var reusable = Reusable(old);
        var near = new List<Replica>();
        var far = new List<Replica>();
        skipped = 0;
        foreach (var table in route.Regions)
        {
            var side = ownRegion.Length == 0 || table.Region == ownRegion ? near : far;
            foreach (var endpoint in table.Endpoints)
                skipped += TryAdd(side, endpoint.Container, $"http://{endpoint.Address}/", table.Region, reusable) ? 0 : 1;
        }
        return new ReplicaView([.. near], [.. far]);
    }

    /// <summary>The silos that serve the API.</summary>
    public static ReplicaView OfApi(IEnumerable<string> addresses, ReplicaView old)
    {
        var reusable = Reusable(old);
        var near = new List<Replica>();
        foreach (var address in addresses)
            TryAdd(near, address, address, "", reusable);
        return new ReplicaView([.. near], []);
    }

    private static Dictionary<string, Replica> Reusable(ReplicaView old)
    {
        var byId = new Dictionary<string, Replica>(StringComparer.Ordinal);
        foreach (var replica in old.Near.Concat(old.Far))
            byId[replica.Destination.DestinationId] = replica;
        return byId;
    }

    private static bool TryAdd(List<Replica> side, string id, string address, string region, Dictionary<string, Replica> reusable)
    {
        var fresh = Replica.TryCreate(id, address, region);
        if (fresh is null)
            return false;
        side.Add(reusable.TryGetValue(id, out var old) && old.Prefix == fresh.Prefix ? old : fresh);
        return true;
    }
}
