using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>
/// One loop that commits whatever has gathered since its last commit. It never lingers for more: under load a batch
/// fills by itself while the one before it is written.
/// </summary>
internal sealed class DeploymentWriter
{
    private const int QueueLength = 4096;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    private readonly Channel<WriteCall> queue = Channel.CreateBounded<WriteCall>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly Database database;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private bool failing;
    private int writing;

    public DeploymentWriter(Database database, TimeProvider time, ILogger logger)
    {
        (this.database, this.time, this.logger) = (database, time, logger);
        Completion = Run();
    }

    /// <summary>Ends after <see cref="Close"/>, when everything queued has been answered.</summary>
    public Task Completion { get; }

    /// <summary>Calls that are not answered yet.</summary>
    public int Waiting => queue.Reader.Count + Volatile.Read(ref writing);

    public bool TryEnqueue(WriteCall call) => queue.Writer.TryWrite(call);

    public ValueTask Enqueue(WriteCall call, CancellationToken cancellationToken) => queue.Writer.WriteAsync(call, cancellationToken);

    public void Close() => queue.Writer.TryComplete();

    private async Task Run()
    {
        await Task.Yield();
        var batch = new WriteBatch();
        while (await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            Gather(batch);
            Volatile.Write(ref writing, batch.Calls.Count);
            if (batch.Calls.Count > 0)
                await Commit([.. batch.Calls]).ConfigureAwait(false);
            Volatile.Write(ref writing, 0);
        }
    }

    private void Gather(WriteBatch batch)
    {
        batch.Clear();
        while (queue.Reader.TryPeek(out var call))
        {
            if (call.Cancellation.IsCancellationRequested)
                call.Cancel();
            else if (IsLate(call))
                call.Fail(Unavailable("waited too long behind other writes, and was not made", null));
            else if (!batch.TryAdd(call))
                return;
            queue.Reader.TryRead(out _);
        }
    }

    /// <summary>Answers every call; never throws.</summary>
    private async Task Commit(List<WriteCall> calls)
    {
        for (var attempt = 1; calls.Count > 0; attempt++)
        {
            try
            {
                await Try(calls, attempt).ConfigureAwait(false);
                Recovered();
                return;
            }
            catch (Exception e) when (Transient.Is(e))
            {
                Failed(e);
                calls.RemoveAll(call => IsOver(call, e));
                await Task.Delay(LongestPause * Random.Shared.NextDouble(), time).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await Isolate(calls, e).ConfigureAwait(false);
                return;
            }
        }
    }

    private async Task Try(List<WriteCall> calls, int attempt)
    {
        using var limit = new CancellationTokenSource(TimeLeft(calls), time);
        await using var connection = await database.Writes.OpenConnectionAsync(limit.Token).ConfigureAwait(false);
        var fences = new Fences(calls);
        var held = await WriteExecution.Run(connection, calls, fences, limit.Token).ConfigureAwait(false);
        foreach (var call in calls)
        {
            var accepted = call.Kind == WriteKind.Update || held.Contains(fences.Of(call));
            // An attempt before this one may have been committed without our hearing of it, and the epoch raised since.
            if (!accepted && attempt > 1)
                accepted = await WriteExecution.IsDone(connection, call, limit.Token).ConfigureAwait(false);
            call.Complete(accepted);
        }
    }

    /// <summary>A failure that repeating cannot cure: the guilty call must not take the others with it.</summary>
    private async Task Isolate(List<WriteCall> calls, Exception failure)
    {
        if (calls.Count == 1)
        {
            await Settle(calls[0], failure).ConfigureAwait(false);
            return;
        }

        foreach (var call in calls)
            await Commit([call]).ConfigureAwait(false);
    }

    /// <summary>Rows that are there already are this call's own when an attempt was committed without our hearing of it.</summary>
    private async Task Settle(WriteCall call, Exception failure)
    {
        try
        {
            if (call.Kind == WriteKind.Insert && failure is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                using var limit = new CancellationTokenSource(TimeLeft([call]), time);
                await using var connection = await database.Writes.OpenConnectionAsync(limit.Token).ConfigureAwait(false);
                if (await WriteExecution.IsDone(connection, call, limit.Token).ConfigureAwait(false))
                {
                    call.Complete(true);
                    return;
                }
            }

            call.Fail(failure);
        }
        catch (Exception e)
        {
            call.Fail(Unavailable("is not known to be stored or not", e));
        }
    }

    private TimeSpan TimeLeft(List<WriteCall> calls)
    {
        var left = calls.Min(call => call.Deadline) - time.GetTimestamp();
        var span = TimeSpan.FromSeconds((double)left / time.TimestampFrequency);
        return span > LongestPause ? span : LongestPause;
    }

    private bool IsLate(WriteCall call) => time.GetTimestamp() >= call.Deadline;

    private bool IsOver(WriteCall call, Exception failure)
    {
        if (call.Done.IsCompleted)
            return true;
        if (!IsLate(call))
            return false;
        call.Fail(Unavailable("is not known to be stored or not", failure));
        return true;
    }

    private void Failed(Exception failure)
    {
        if (failing)
            return;
        failing = true;
        database.ForgetConnections();
        logger.LogWarning("PostgreSQL refuses or loses writes of deployment records; they are repeated until their deadline. "
            + "Check that it runs and accepts connections. {Reason}", failure.Message);
    }

    private void Recovered()
    {
        if (failing)
            logger.LogInformation("PostgreSQL takes writes of deployment records again");
        failing = false;
    }

    internal static StorageUnavailableException Unavailable(string what, Exception? failure) => new(
        $"A write of deployment records {what}: PostgreSQL did not answer in time. Check that it runs, accepts connections and has free disk "
        + $"space.{(failure is null ? "" : $" Last failure: {failure.Message}")}", failure);
}
