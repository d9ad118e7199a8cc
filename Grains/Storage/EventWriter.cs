using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>
/// Stores the events of one database in batches, from a bounded queue; when the database is away for so long that the
/// queue is full, newer events are dropped and counted.
/// </summary>
internal sealed class EventWriter : IAsyncDisposable, IDisposable
{
    private const int QueueLength = 10_000;
    private const int BatchLength = 500;
    private const int LongestMessage = 2_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(5);

    // Events become visible in the order of their ids, or a reader that follows would miss one that commits late.
    private const string InOrder = "SELECT pg_advisory_xact_lock(4990266447171055187)";

    private const string InsertText = """
        INSERT INTO event (at, region, server, app, container, kind, message)
        SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        """;

    private readonly Channel<PlatformEvent> queue = Channel.CreateBounded<PlatformEvent>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task completion;
    private long dropped;

    /// <summary>Starts the writer.</summary>
    public EventWriter(NpgsqlDataSource source, TimeProvider time, ILogger logger)
    {
        (this.source, this.time, this.logger) = (source, time, logger);
        completion = Run();
    }

    /// <summary>Events dropped since the start, because they could not be stored.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Notes an event. Returns at once.</summary>
    public void Write(PlatformEvent e)
    {
        if (!queue.Writer.TryWrite(e))
            Drop(1, "they come faster than PostgreSQL stores them");
    }

    /// <summary>Stores what is queued, for at most five seconds, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        stopping.CancelAfter(LongestDrain);
        await completion.ConfigureAwait(false);
        stopping.Dispose();
    }

    /// <summary>Stops at once.</summary>
    public void Dispose()
    {
        queue.Writer.TryComplete();
        stopping.Cancel();
    }

    private async Task Run()
    {
        await Task.Yield();
        var batch = new List<PlatformEvent>(BatchLength);
        while (await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < BatchLength && queue.Reader.TryRead(out var e))
                batch.Add(e);
            await Store(batch).ConfigureAwait(false);
        }
    }

    /// <summary>Repeats while that can help, so that an outage shorter than the queue loses nothing; never throws.</summary>
    private async Task Store(List<PlatformEvent> batch)
    {
        while (true)
        {
            try
            {
                await Insert(batch).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (Transient.Is(e) && !stopping.IsCancellationRequested)
            {
                await Task.Delay(Pause, time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e)
            {
                Drop(batch.Count, e.Message);
                return;
            }
        }
    }

    private async Task Insert(List<PlatformEvent> events)
    {
        await using var connection = await source.OpenConnectionAsync(stopping.Token).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(InOrder));
        var insert = new NpgsqlBatchCommand(InsertText);
        foreach (var column in (ReadOnlySpan<object>)
            [
                events.ConvertAll(e => e.At.ToUniversalTime()), events.ConvertAll(e => e.Region), events.ConvertAll(e => e.Server),
                events.ConvertAll(e => e.App), events.ConvertAll(e => e.Container), events.ConvertAll(e => e.Kind),
                events.ConvertAll(e => Storable(e.Message)),
            ])
            insert.Parameters.Add(new NpgsqlParameter { Value = column });
        batch.BatchCommands.Add(insert);
        await batch.ExecuteNonQueryAsync(stopping.Token).ConfigureAwait(false);
    }

    // Messages quote what engines and users say; PostgreSQL's text holds no zero character.
    private static string Storable(string message) =>
        (message.Length > LongestMessage ? message[..LongestMessage] : message).Replace('\0', ' ');

    private void Drop(int count, string reason)
    {
        if (Interlocked.Add(ref dropped, count) == count)
            logger.LogWarning("Events are being dropped: {Reason}. Only the diary suffers; check PostgreSQL if this goes on", reason);
    }
}
