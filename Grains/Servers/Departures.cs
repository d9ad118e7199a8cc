using Hosting.Apps;
using Hosting.Domain.Eviction;
using Hosting.Placement;
using Hosting.Regions;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Servers;

/// <summary>
/// Tells replica sets which containers have to leave a server, again and again until they are gone, and which may stay
/// after all. What fails is said again at the next look.
/// </summary>
internal sealed class Departures(string region, IGrainFactory grains, ILogger log)
{
    private readonly Dictionary<string, Departure> _leaving = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ContainerRecord> _staying = new(StringComparer.Ordinal);

    /// <summary>Whether anybody was told to leave, or has still to be told to stay.</summary>
    public bool Any => _leaving.Count > 0 || _staying.Count > 0;

    /// <summary>Containers that may have been told to leave by an earlier activation: those without a cause are told to stay.</summary>
    public void Doubt(IEnumerable<ContainerRecord> live)
    {
        foreach (var container in live.Where(c => c.State < ContainerState.Draining))
            _staying.TryAdd(container.Id, container);
    }

    /// <summary>Repeats everything that is to leave now, and tells those that are not any more.</summary>
    /// <param name="wanted">Everything that has to leave.</param>
    /// <param name="live">Containers of the server that are not over.</param>
    /// <param name="avoidUntil">Until when no replica of an app comes back that leaves under pressure.</param>
    public async Task Tell(IReadOnlyList<Departure> wanted, IReadOnlyList<ContainerRecord> live, DateTimeOffset avoidUntil)
    {
        Update(wanted, live);
        var moves = wanted.GroupBy(d => d.Container.App, StringComparer.Ordinal)
            .Select(app => Tell(app.Key, set => set.Move([.. app.Select(d => Move(d, avoidUntil))]), []));
        var stays = _staying.Values.GroupBy(c => c.App, StringComparer.Ordinal)
            .Select(app => Tell(app.Key, set => set.Stay([.. app.Select(c => c.Id)]), [.. app.Select(c => c.Id)]));
        await Task.WhenAll(moves.Concat(stays).ToList());
    }

    private void Update(IReadOnlyList<Departure> wanted, IReadOnlyList<ContainerRecord> live)
    {
        var now = wanted.ToDictionary(d => d.Container.Id, StringComparer.Ordinal);
        var known = live.ToDictionary(c => c.Id, StringComparer.Ordinal);
        foreach (var id in _leaving.Keys.Where(id => !now.ContainsKey(id) && known.ContainsKey(id)))
            _staying[id] = known[id];
        _leaving.Clear();
        foreach (var departure in wanted)
            _leaving[departure.Container.Id] = departure;
        foreach (var id in _staying.Keys.Where(id => now.ContainsKey(id) || !known.ContainsKey(id)).ToList())
            _staying.Remove(id);
    }

    private static ContainerMove Move(Departure departure, DateTimeOffset avoidUntil) => new(
        departure.Container.Id, departure.Cause, departure.Reason, departure.Cause == MoveCause.Pressure ? avoidUntil : null);

    private async Task Tell(string app, Func<IReplicaSetGrain, Task> say, IReadOnlyList<string> told)
    {
        try
        {
            await say(grains.GetGrain<IReplicaSetGrain>(GrainKeys.ReplicaSet(region, app)));
            foreach (var id in told)
                _staying.Remove(id);
        }
        catch (Exception failure)
        {
            log.LogWarning("{App} in {Region} could not be told to move its containers and is told again: {Reason}", app, region, failure.Message);
        }
    }
}
