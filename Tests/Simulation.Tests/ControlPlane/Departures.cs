using Hosting.Apps;
using Hosting.Domain.Eviction;
using Hosting.Placement;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays how a server tells replica sets who has to leave, again and again until they are gone, and who may stay after all.</summary>
internal sealed class Departures(Region region)
{
    private readonly HashSet<string> _leaving = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ContainerRecord> _staying = new(StringComparer.Ordinal);

    public bool Any => _leaving.Count > 0 || _staying.Count > 0;

    public void Doubt(IEnumerable<ContainerRecord> live)
    {
        foreach (var container in live.Where(c => c.State < ContainerState.Draining)) _staying.TryAdd(container.Id, container);
    }

    public async Task Tell(IReadOnlyList<Departure> wanted, IReadOnlyList<ContainerRecord> live, DateTimeOffset avoidUntil)
    {
        Update(wanted, live);
        var moves = wanted.GroupBy(d => d.Container.App, StringComparer.Ordinal)
            .Select(app => Tell(() => region.App(app.Key).Move([.. app.Select(d => Move(d, avoidUntil))]), []));
        var stays = _staying.Values.GroupBy(c => c.App, StringComparer.Ordinal)
            .Select(app => Tell(() => region.App(app.Key).Stay([.. app.Select(c => c.Id)]), [.. app.Select(c => c.Id)]));
        await Task.WhenAll(moves.Concat(stays).ToList());
    }

    private void Update(IReadOnlyList<Departure> wanted, IReadOnlyList<ContainerRecord> live)
    {
        var now = wanted.Select(d => d.Container.Id).ToHashSet(StringComparer.Ordinal);
        var known = live.ToDictionary(c => c.Id, StringComparer.Ordinal);
        foreach (var id in _leaving.Where(id => !now.Contains(id) && known.ContainsKey(id))) _staying[id] = known[id];
        _leaving.Clear();
        _leaving.UnionWith(now);
        foreach (var id in _staying.Keys.Where(id => now.Contains(id) || !known.ContainsKey(id)).ToList()) _staying.Remove(id);
    }

    private static ContainerMove Move(Departure departure, DateTimeOffset avoidUntil) => new(
        departure.Container.Id, departure.Cause, departure.Reason, departure.Cause == MoveCause.Pressure ? avoidUntil : null);

    private async Task Tell(Func<Task> say, IReadOnlyList<string> told)
    {
        try
        {
            await region.Network.Call(say);
            foreach (var id in told) _staying.Remove(id);
        }
        catch (CallFailedException)
        {
            // It is told again at the next look.
        }
    }
}
