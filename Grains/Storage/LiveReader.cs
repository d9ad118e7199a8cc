using System.Threading.Channels;
using Hosting.Placement;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>
/// Reads what is live on servers of one database. One statement is under way, and what is asked meanwhile goes together in
/// the next: when thousands of servers fall silent at once their grains all look, and each with a statement and a
/// connection of its own would leave none for what users wait for.
/// </summary>
internal sealed class LiveReader : IAsyncDisposable, IDisposable
{
    private const int QueueLength = 65_536;
    private const int MostInAStatement = 500;

    internal const string Text = $"""
        SELECT {ContainerReader.Columns} FROM container
        WHERE ended_at IS NULL AND server = ANY ($1)
        ORDER BY created_at DESC, id
        """;

    private readonly Channel<Question> _queue = Channel.CreateBounded<Question>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly NpgsqlDataSource _source;
    private readonly Task _completion;

    /// <summary>Starts it.</summary>
    public LiveReader(NpgsqlDataSource source)
    {
        _source = source;
        _completion = Run();
    }

    /// <summary>Statements made since the start.</summary>
    public long Statements { get; private set; }

    /// <summary>Deployment records of a server that are not over, read after this was called; the newest first.</summary>
    /// <exception cref="StorageUnavailableException">More ask than it can answer in time.</exception>
    public Task<IReadOnlyList<ContainerRecord>> Read(string region, string server, CancellationToken ct)
    {
        var question = new Question(region, server);
        return _queue.Writer.TryWrite(question)
            ? question.Answer.Task.WaitAsync(ct)
            : throw new StorageUnavailableException($"More than {QueueLength} servers are being looked at, or the silo is stopping: try again.", null);
    }

    /// <summary>Answers what was asked, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _completion.ConfigureAwait(false);
    }

    /// <summary>Takes no questions any more.</summary>
    public void Dispose() => _queue.Writer.TryComplete();

    private async Task Run()
    {
        await Task.Yield();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var asked = new List<Question>();
            while (asked.Count < MostInAStatement && _queue.Reader.TryRead(out var question))
                asked.Add(question);
            await Answer(asked).ConfigureAwait(false);
        }
    }

    /// <summary>Never throws: a failure is that of those who asked.</summary>
    private async Task Answer(List<Question> asked)
    {
        try
        {
            var live = (await Read(asked).ConfigureAwait(false)).ToLookup(record => (record.Region, record.Server));
            foreach (var question in asked)
                question.Answer.TrySetResult([.. live[(question.Region, question.Server)]]);
        }
        catch (Exception failure)
        {
            foreach (var question in asked)
                question.Answer.TrySetException(failure);
        }
    }

    private async Task<List<ContainerRecord>> Read(List<Question> asked)
    {
        Statements++;
        await using var command = _source.CreateCommand(Text);
        command.Parameters.Add(new NpgsqlParameter { Value = asked.Select(question => question.Server).Distinct().ToArray() });
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        return await new ContainerReader(reader).ReadAll(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Somebody who waits.</summary>
    private sealed record Question(string Region, string Server)
    {
        public TaskCompletionSource<IReadOnlyList<ContainerRecord>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
