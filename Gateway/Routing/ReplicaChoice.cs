namespace Hosting.Gateway.Routing;

/// <summary>
/// Picks a replica: own region before others as long as it has one that accepts and is not saturated, accepting before
/// ejected, then the less busy of the next in turn and a random one. Idle replicas are so used in turn, and busy ones by
/// power of two choices.
/// </summary>
internal static class ReplicaChoice
{
    /// <summary>The replica for a try; null when every replica was tried, or there is none.</summary>
    /// <param name="view">The replicas.</param>
    /// <param name="turn">Raised by one with each request.</param>
    /// <param name="random">Any number.</param>
    /// <param name="tried">Replicas that this request failed on; null when none.</param>
    /// <param name="time">The clock that ejections run by.</param>
    /// <param name="saturated">Requests in flight at which a replica is saturated: it is taken when all that accept are.</param>
    public static Replica? Choose(ReplicaView view, uint turn, uint random, List<Replica>? tried, TimeProvider time, int saturated) =>
        Among(view.Near, turn, random, tried, time, saturated)
        ?? Among(view.Far, turn, random, tried, time, saturated)
        ?? Among(view.Near, turn, random, tried, time, int.MaxValue)
        ?? Among(view.Far, turn, random, tried, time, int.MaxValue)
        ?? Among(view.Near, turn, random, tried, null, int.MaxValue)
        ?? Among(view.Far, turn, random, tried, null, int.MaxValue);

    private static Replica? Among(Replica[] replicas, uint turn, uint random, List<Replica>? tried, TimeProvider? time, int saturated)
    {
        if (replicas.Length == 0)
            return null;
        var first = From(replicas, turn, tried, time, saturated);
        if (first is null || replicas.Length == 1)
            return first;
        if (From(replicas, random, tried, time, saturated) is not { } second)
            return first;
        return second.Destination.ConcurrentRequestCount < first.Destination.ConcurrentRequestCount ? second : first;
    }

    /// <summary>The first one that qualifies, from a place on and around. Without a clock, ejected ones qualify too.</summary>
    private static Replica? From(Replica[] replicas, uint start, List<Replica>? tried, TimeProvider? time, int saturated)
    {
        var place = (int)(start % (uint)replicas.Length);
        for (var i = 0; i < replicas.Length; i++)
        {
            var replica = replicas[place];
            if (replica.InFlight < saturated && (time is null || !replica.IsEjected(time)) && tried?.Contains(replica) != true)
                return replica;
            place = place + 1 == replicas.Length ? 0 : place + 1;
        }
        return null;
    }
}
