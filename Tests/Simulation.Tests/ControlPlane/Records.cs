using Hosting.Placement;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays what a replica set knows of its records. Only ever newer, never older.</summary>
internal sealed class Records
{
    private readonly Dictionary<string, Entry> _live = new(StringComparer.Ordinal);
    private readonly HashSet<string> _over = new(StringComparer.Ordinal);
    private long _changes;

    public List<ContainerRecord> All => [.. _live.Values.Select(e => e.Record)];

    public void Merge(ContainerRecord record)
    {
        if (_over.Contains(record.Id)) return;
        if (record.IsOver)
        {
            _live.Remove(record.Id);
            _over.Add(record.Id);
            return;
        }
        if (!_live.TryGetValue(record.Id, out var known) || known.Record.State <= record.State)
            _live[record.Id] = new Entry(record, ++_changes, known?.Record.State == record.State ? known.ToldAt : default);
    }

    public long Mark() => _changes;

    /// <summary>Takes what the database holds for the truth, except where something newer was heard since the mark.</summary>
    public void Replace(IReadOnlyList<ContainerRecord> live, long mark)
    {
        var stored = live.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _live.Where(e => e.Value.Change <= mark && !stored.Contains(e.Key)).Select(e => e.Key).ToList()) _live.Remove(gone);
        _over.RemoveWhere(id => !stored.Contains(id));
        foreach (var record in live.Where(r => !_live.TryGetValue(r.Id, out var known) || known.Change <= mark)) Merge(record);
    }

    public List<ContainerRecord> Find(IEnumerable<string> ids) => [.. ids.Select(id => _live.GetValueOrDefault(id)?.Record).OfType<ContainerRecord>()];

    /// <summary>Records in a state about which nobody was told for a while; they count as told from now on.</summary>
    public List<ContainerRecord> Due(ContainerState state, DateTimeOffset now, TimeSpan after, Func<ContainerRecord, bool>? which = null)
    {
        var due = _live.Values.Where(e => e.Record.State == state && now - e.ToldAt > after && which?.Invoke(e.Record) != false).ToList();
        foreach (var entry in due) _live[entry.Record.Id] = entry with { ToldAt = now };
        return due.ConvertAll(e => e.Record);
    }

    private sealed record Entry(ContainerRecord Record, long Change, DateTimeOffset ToldAt);
}
