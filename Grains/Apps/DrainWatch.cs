using Hosting.Placement;

namespace Hosting.Grains.Apps;

/// <summary>
/// Finds out when a draining container can be stopped: when no gateway sends it requests or has any in flight for it, or
/// when its grace has passed. Gateways are asked beside the grain's other work, one question at a time.
/// </summary>
internal sealed class DrainWatch(RoutePublisher routes, TimeProvider clock)
{
    private readonly Dictionary<string, DateTimeOffset> _since = new(StringComparer.Ordinal);
    private readonly HashSet<string> _quiet = new(StringComparer.Ordinal);
    private bool _asking;

    /// <summary>The draining containers now; their grace runs from when they are named here first.</summary>
    public void Watch(IReadOnlyCollection<ContainerRecord> draining)
    {
        var now = clock.GetUtcNow();
        var ids = draining.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var over in _since.Keys.Where(id => !ids.Contains(id)).ToList())
            _since.Remove(over);
        _quiet.IntersectWith(ids);
        foreach (var id in ids)
            _since.TryAdd(id, now);
    }

    /// <summary>Whether a container can be stopped.</summary>
    public bool IsFinished(ContainerRecord container, TimeSpan grace) =>
        _quiet.Contains(container.Id) || (_since.TryGetValue(container.Id, out var since) && clock.GetUtcNow() - since >= grace);

    /// <summary>Asks the gateways about those that are not known to be quiet, unless they are being asked already.</summary>
    /// <returns>Whether some became quiet; null when there was nothing to ask. Never fails.</returns>
    public async Task<bool?> Ask()
    {
        var open = _since.Keys.Where(id => !_quiet.Contains(id)).ToList();
        if (_asking || open.Count == 0)
            return null;
        _asking = true;
        try
        {
            var busy = await routes.Busy(open);
            _quiet.UnionWith(open.Where(id => !busy.Contains(id)));
            return busy.Count < open.Count;
        }
        finally
        {
            _asking = false;
        }
    }
}
