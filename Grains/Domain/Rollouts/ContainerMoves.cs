using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>
/// Which containers were asked to leave their server, and what takes their place. In memory only: who asks repeats it, and
/// what nobody repeats is forgotten.
/// </summary>
public sealed class ContainerMoves
{
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Containers that are leaving.</summary>
    public int Count => _entries.Count;

    /// <summary>Why each has to leave, by its id.</summary>
    public IReadOnlyDictionary<string, MoveCause> Causes => _entries.ToDictionary(e => e.Key, e => e.Value.Move.Cause, StringComparer.Ordinal);

    /// <summary>Takes a request in, or its repetition. True when it is new, or has another cause than before.</summary>
    public bool Ask(ContainerMove move, DateTimeOffset now)
    {
        var known = _entries.GetValueOrDefault(move.Container);
        _entries[move.Container] = new Entry(move, now, known?.Replacement);
        return known is null || known.Move.Cause != move.Cause;
    }

    /// <summary>It may stay. Null when it had not to leave.</summary>
    public ContainerMove? TakeBack(string container) => _entries.Remove(container, out var entry) ? entry.Move : null;

    /// <summary>Forgets what is not here any more, and what nobody asked for lately.</summary>
    public void Prune(IEnumerable<string> here, DateTimeOffset now)
    {
        var known = here.ToHashSet(StringComparer.Ordinal);
        foreach (var (id, _) in _entries.Where(e => !known.Contains(e.Key) || now - e.Value.AskedAt > ForgetAfter).ToList())
            _entries.Remove(id);
    }

    /// <summary>The request for a container; null when there is none.</summary>
    public ContainerMove? Find(string container) => _entries.GetValueOrDefault(container)?.Move;

    /// <summary>Any request that waits for a replacement, lost containers last; null when there is none.</summary>
    public ContainerMove? Waiting() =>
        _entries.Values.Where(e => e.Replacement is null).OrderBy(e => e.Move.Cause).Select(e => e.Move).FirstOrDefault();

    /// <summary>Notes which new containers take the place of leaving ones: for people, the planner counts for itself.</summary>
    public void Replace(IEnumerable<ContainerRecord> placed)
    {
        foreach (var replacement in placed)
        {
            var (id, entry) = _entries.FirstOrDefault(e => e.Value.Replacement is null);
            if (entry is null)
                return;
            _entries[id] = entry with { Replacement = replacement };
        }
    }

    /// <summary>What took a container's place, as far as that is known.</summary>
    public ContainerRecord? ReplacementOf(string container) => _entries.GetValueOrDefault(container)?.Replacement;

    private sealed record Entry(ContainerMove Move, DateTimeOffset AskedAt, ContainerRecord? Replacement);
}
