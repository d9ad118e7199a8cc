using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Placement;

/// <content>What people ask.</content>
public sealed partial class PlacementLedger
{
    /// <summary>
    /// How every VM stands to a demand: counts by rule, and the best matches in the order <see cref="Place"/> would take
    /// them for one replica, followed by those that miss the fewest rules. Changes nothing but stale servers.
    /// </summary>
    /// <param name="request">As for <see cref="Place"/>.</param>
    /// <param name="best">Most candidates to list, from 0.</param>
    /// <param name="now">The time.</param>
    public PlacementExplanation Explain(PlacementRequest request, int best, DateTimeOffset now)
    {
        Advance(now);
        return new PlacementExplainer(_region, Resolve(request), _now).Explain(_index.Servers, best);
    }

    /// <summary>Every server of the region, in the order they became known.</summary>
    public IReadOnlyList<ServerStatus> Describe(DateTimeOffset now)
    {
        Advance(now);
        return [.. _index.Servers.Select(Describe)];
    }

    /// <summary>Whether any server was heard from lately.</summary>
    public bool AnyFresh(DateTimeOffset now)
    {
        Advance(now);
        return _index.Servers.Any(server => server.Fresh);
    }

    private ServerStatus Describe(ServerEntry server)
    {
        var reason = ServerReasons.NotAdmitting(server, _now);
        return new ServerStatus
        {
            Server = server.Record,
            Online = server.Online,
            Admitting = reason is null,
            NotAdmittingReason = reason,
            Utilization = server.Utilization,
            Thresholds = server.Thresholds,
            Vms = Array.ConvertAll(server.Vms, vm => vm.Describe()),
            Suspect = !server.Fresh,
            LastHeardAt = server.LastReport,
            PrimaryWait = server.PrimaryWait,
            CapMillis = server.CapMillis,
            HeldBack = server.HeldBack,
        };
    }
}
