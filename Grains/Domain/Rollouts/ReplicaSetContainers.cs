using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>A region's durable records of one app, as far as this activation knows them. Only ever newer, never older.</summary>
public sealed class ReplicaSetContainers
{
    private readonly Dictionary<string, Entry> _live = new(StringComparer.Ordinal);
    private readonly HashSet<string> _over = new(StringComparer.Ordinal);
    private long _changes;

    /// <summary>Records that are not over.</summary>
    public IReadOnlyList<ContainerRecord> All => [.. _live.Values.Select(e => e.Record)];

    /// <summary>Takes in a record that is durable. One that comes late, with an earlier state, changes nothing.</summary>
    public void Merge(ContainerRecord record)
    {
        if (_over.Contains(record.Id))
            return;
        if (record.IsOver)
        {
            _live.Remove(record.Id);
            _over.Add(record.Id);
            return;
        }
        if (!_live.TryGetValue(record.Id, out var known) || known.Record.State <= record.State)
            _live[record.Id] = new Entry(record, ++_changes, known?.Record.State == record.State ? known.ToldAt : default);
    }

    /// <summary>A point in time that <see cref="Replace"/> is given, taken before the database is read.</summary>
    public long Mark() => _changes;

    /// <summary>Takes what the database holds for the truth, except where something newer was heard since <paramref name="mark"/>.</summary>
    public void Replace(IReadOnlyList<ContainerRecord> live, long mark)
    {
        var stored = live.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _live.Where(e => e.Value.Change <= mark && !stored.Contains(e.Key)).Select(e => e.Key).ToList())
            _live.Remove(gone);
        _over.RemoveWhere(id => !stored.Contains(id));
        foreach (var record in live.Where(r => !_live.TryGetValue(r.Id, out var known) || known.Change <= mark))
            Merge(record);
    }

    /// <summary>The records with these ids.</summary>
    public List<ContainerRecord> Find(IEnumerable<string> ids) =>
        [.. ids.Select(id => _live.GetValueOrDefault(id)?.Record).OfType<ContainerRecord>()];

    /// <summary>Records in a state about which nobody was told for a while; they count as told from now on.</summary>
    public List<ContainerRecord> Due(ContainerState state, DateTimeOffset now, TimeSpan after, Func<ContainerRecord, bool>? which = null)
    {
        var due = _live.Values.Where(e => e.Record.State == state && now - e.ToldAt > after && which?.Invoke(e.Record) != false).ToList();
        foreach (var entry in due)
            _live[entry.Record.Id] = entry with { ToldAt = now };
        return due.ConvertAll(e => e.Record);
    }

    /// <summary>What there is, for the app's status.</summary>
    public ReplicaSetStatus Describe(ReplicaSetSpec wanted, PlacementRefusal? refusal)
    {
        var live = _live.Values.Select(e => e.Record).ToList();
        var serving = live.Where(c => c.GetsTraffic).ToList();
        return new ReplicaSetStatus
        {
            Revision = wanted.Revision,
            Desired = wanted.Retired ? 0 : wanted.Replicas,
            Ready = serving.Count,
            Updated = serving.Count(c => c.Revision == wanted.Revision),
            Containers = live.Count,
            Refusal = refusal,
            Failure = live.Where(c => !c.GetsTraffic && c.State < ContainerState.Draining && c.Reason is not null)
                .OrderByDescending(c => c.Revision)
                .Select(c => $"{c.Id}: {c.Reason}")
                .FirstOrDefault(),
            Retired = wanted.Retired,
        };
    }

    private sealed record Entry(ContainerRecord Record, long Change, DateTimeOffset ToldAt);
}
