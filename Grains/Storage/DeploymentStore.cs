using Hosting.Placement;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Storage;

/// <summary>
/// The writer of deployment records. Concurrent calls share transactions; a call is answered once what it wrote is durable.
/// Calls of one row each are made in their order; those of several rows are not, and their caller waits for what must come first.
/// </summary>
/// <remarks>
/// Every method throws <see cref="StorageUnavailableException"/> when PostgreSQL does not confirm in time, and
/// <see cref="OperationCanceledException"/> when its token is cancelled: then the write may have happened or not.
/// </remarks>
public sealed class DeploymentStore : IAsyncDisposable, IDisposable
{
    /// <summary>The most records one call may carry.</summary>
    public const int MaxRecords = 10_000;

    private const int Writers = 3;

    private readonly Databases databases;
    private readonly Dictionary<Database, DeploymentWriter[]> writers;
    private readonly StorageOptions options;
    private readonly TimeProvider time;

    /// <summary>Starts the writers.</summary>
    public DeploymentStore(Databases databases, StorageOptions options, TimeProvider time, ILogger<DeploymentStore> logger)
    {
        (this.databases, this.options, this.time) = (databases, options, time);
        // While one waits for the disk the others gather and run their statements. More did not help on two cores.
        writers = databases.All.ToDictionary(
            database => database, database => Enumerable.Range(0, Writers).Select(_ => new DeploymentWriter(database, time, logger)).ToArray());
    }

    /// <summary>Adds records of one region, all or none.</summary>
    /// <param name="region">Their region.</param>
    /// <param name="epoch">The placement epoch the caller holds.</param>
    /// <param name="records">Records with ids never used before, none of them over.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <returns>True once durable; false when the epoch is not the region's current one: nothing was added.</returns>
    public Task<bool> Insert(string region, long epoch, IReadOnlyList<ContainerRecord> records, CancellationToken ct)
    {
        CheckSize(records.Count);
        foreach (var record in records)
            if (record.IsOver || record.Region != region)
                throw new ArgumentException($"Container {record.Id} is over, or not of region {region}.", nameof(records));
        return records.Count == 0
            ? Task.FromResult(true)
            : Send(new WriteCall
            {
                Kind = WriteKind.Insert, Region = region, Epoch = epoch, Records = records, Deadline = Deadline(), Cancellation = ct,
            });
    }

    /// <summary>Ends records of one region; those that are over already, or unknown, stay as they are.</summary>
    /// <param name="region">Their region.</param>
    /// <param name="epoch">The placement epoch the caller holds.</param>
    /// <param name="releases">What ends and how; of two for one container the first counts.</param>
    /// <param name="at">When.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <returns>True once durable; false when the epoch is not the region's current one: nothing was changed.</returns>
    public Task<bool> End(
        string region, long epoch, IReadOnlyList<ContainerRelease> releases, DateTimeOffset at, CancellationToken ct)
    {
        CheckSize(releases.Count);
        foreach (var release in releases)
            if (release.State is not (ContainerState.Stopped or ContainerState.Failed))
                throw new ArgumentException($"Container {release.Id} cannot end as {release.State}.", nameof(releases));
        return releases.Count == 0
            ? Task.FromResult(true)
            : Send(new WriteCall
            {
                Kind = WriteKind.End, Region = region, Epoch = epoch, Releases = [.. releases.DistinctBy(release => release.Id)], At = at,
                Deadline = Deadline(), Cancellation = ct,
            });
    }

    /// <summary>
    /// Writes state, health, endpoint, reason and start of records that are not over. A record whose stored state is
    /// further on, or that is over or unknown, stays as it is.
    /// </summary>
    /// <param name="records">Records that are not over.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task Update(IReadOnlyList<ContainerRecord> records, CancellationToken ct)
    {
        CheckSize(records.Count);
        foreach (var record in records)
            if (record.IsOver)
                throw new ArgumentException($"Container {record.Id} is over: use {nameof(End)}.", nameof(records));
        return Task.WhenAll(Split(records).Select(part => Send(new WriteCall
        {
            Kind = WriteKind.Update, Records = part, Deadline = Deadline(), Cancellation = ct,
        })));
    }

    /// <summary>Writes what is queued, then stops. Later calls throw <see cref="ObjectDisposedException"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await Task.WhenAll(Every.Select(writer => writer.Completion)).ConfigureAwait(false);
    }

    /// <summary>Stops taking calls, and does not wait for what is queued.</summary>
    public void Dispose()
    {
        foreach (var writer in Every)
            writer.Close();
    }

    // A row always goes to the same writer, so that its updates keep their order; and only once a call, as a statement
    // that named it twice would keep either.
    private IEnumerable<IReadOnlyList<ContainerRecord>> Split(IReadOnlyList<ContainerRecord> records)
    {
        if (records.Count == 1)
            return [records];
        return records
            .GroupBy(record => record.Id)
            .Select(same => same.Aggregate((earlier, later) => later.State >= earlier.State ? later : earlier))
            .GroupBy(record => WriterOf(record.Region, record.Id))
            .Select(part => part.ToArray());
    }

    private async Task<bool> Send(WriteCall call)
    {
        // The order of calls of several rows is their caller's to keep, and a placement waits for its insert: whoever has least to do takes it.
        var writer = call is { Kind: WriteKind.Insert, Rows: > 1 } ? WritersOf(call.RegionOf(0)).MinBy(one => one.Waiting)! : WriterOf(call.RegionOf(0), call.IdOf(0));
        if (!writer.TryEnqueue(call))
            await Wait(writer, call).ConfigureAwait(false);
        return await call.Done.WaitAsync(call.Cancellation).ConfigureAwait(false);
    }

    private async Task Wait(DeploymentWriter writer, WriteCall call)
    {
        using var late = new CancellationTokenSource(options.WriteDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, call.Cancellation);
        try
        {
            await writer.Enqueue(call, either.Token).ConfigureAwait(false);
        }
        catch (System.Threading.Channels.ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(DeploymentStore));
        }
        catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
        {
            throw DeploymentWriter.Unavailable("found the queue full, and was not made", null);
        }
    }

    private IEnumerable<DeploymentWriter> Every => writers.Values.SelectMany(same => same);

    private DeploymentWriter[] WritersOf(string region) => writers[databases.Of(region)];

    private DeploymentWriter WriterOf(string region, string id) => WritersOf(region)[(uint)id.GetHashCode(StringComparison.Ordinal) % Writers];

    private long Deadline() =>
        time.GetTimestamp() + (long)(options.WriteDeadline.TotalSeconds * time.TimestampFrequency);

    private static void CheckSize(int count) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxRecords);
}
