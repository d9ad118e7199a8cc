using Hosting.Apps;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays which containers a replica set was asked to move. In memory only: who asks repeats it, and what nobody repeats is forgotten.</summary>
internal sealed class Moves
{
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, (ContainerMove Move, DateTimeOffset AskedAt)> _entries = new(StringComparer.Ordinal);

    public int Count => _entries.Count;

    public Dictionary<string, MoveCause> Causes => _entries.ToDictionary(e => e.Key, e => e.Value.Move.Cause, StringComparer.Ordinal);

    /// <summary>True when the request is new, or has another cause than before.</summary>
    public bool Ask(ContainerMove move, DateTimeOffset now)
    {
        var isNew = !_entries.TryGetValue(move.Container, out var known) || known.Move.Cause != move.Cause;
        _entries[move.Container] = (move, now);
        return isNew;
    }

    public void TakeBack(string container) => _entries.Remove(container);

    public void Prune(IEnumerable<string> here, DateTimeOffset now)
    {
        var known = here.ToHashSet(StringComparer.Ordinal);
        foreach (var id in _entries.Where(e => !known.Contains(e.Key) || now - e.Value.AskedAt > ForgetAfter).Select(e => e.Key).ToList()) _entries.Remove(id);
    }

    public ContainerMove? Find(string container) => _entries.TryGetValue(container, out var entry) ? entry.Move : null;
}
