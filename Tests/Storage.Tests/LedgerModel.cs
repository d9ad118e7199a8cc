using Hosting.Placement;

namespace Hosting.Storage.Tests;

/// <summary>What the deployment store promises, one call after the other, in memory.</summary>
internal sealed class LedgerModel
{
    private readonly Dictionary<string, ContainerRecord> rows = [];

    public IReadOnlyDictionary<string, ContainerRecord> Rows => rows;

    public long Epoch { get; set; }

    /// <summary>Null: an id is taken by something else.</summary>
    public bool? Insert(long epoch, IReadOnlyList<ContainerRecord> records)
    {
        if (epoch != Epoch)
            return false;
        if (records.Any(record => rows.ContainsKey(record.Id)))
            return records.All(record => rows.TryGetValue(record.Id, out var row) && row.App == record.App) ? true : null;
        foreach (var record in records)
            rows.Add(record.Id, record);
        return true;
    }

    public bool? End(long epoch, IReadOnlyList<ContainerRelease> releases)
    {
        if (epoch != Epoch)
            return false;
        foreach (var release in releases)
            if (rows.TryGetValue(release.Id, out var row) && !row.IsOver)
                rows[release.Id] = row with { State = release.State, Healthy = false, Reason = release.Reason };
        return true;
    }

    public bool? Update(IReadOnlyList<ContainerRecord> records)
    {
        foreach (var record in records)
            if (rows.TryGetValue(record.Id, out var row) && !row.IsOver && record.State >= row.State)
                rows[record.Id] = row with
                {
                    State = record.State, Healthy = record.Healthy, Endpoint = record.Endpoint, Reason = record.Reason,
                    StartedAt = record.StartedAt,
                };
        return true;
    }
}
