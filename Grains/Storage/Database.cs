using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>A PostgreSQL database, with its pools of connections and the bounds that keep a crowd of grains from taking all of them.</summary>
public sealed class Database : IAsyncDisposable, IDisposable
{
    /// <summary>As many connections as writers use at once: three of deployment records, each with another to settle a doubt, and one of events.</summary>
    private const int Writers = 7;

    /// <summary>Agents that greet, and grains of servers that wake up, at once: thousands may after the loss of a silo, and users need connections meanwhile.</summary>
    private const int GreetingAtOnce = 32;

    // A greeting that waited for longer is of no use to its agent any more, which tries again.
    private static readonly TimeSpan GreetWithin = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _greetings = new(GreetingAtOnce);

    /// <summary>Opens no connection yet.</summary>
    /// <param name="name">The region it belongs to (the first one, of several); empty for the shared one.</param>
    /// <param name="connectionString">Where it is.</param>
    public Database(string name, string connectionString)
    {
        Name = name;
        Source = StorageServices.CreateDataSource(connectionString);
        Writes = StorageServices.CreateDataSource(connectionString, Writers);
        Live = new LiveReader(Source);
    }

    /// <summary>The region it belongs to; empty for the shared one.</summary>
    public string Name { get; }

    /// <summary>The pool of connections of grains and users.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>A small pool for deployment records and events alone: however many grains and users read, nobody is before a writer.</summary>
    public NpgsqlDataSource Writes { get; }

    /// <summary>Its name for people.</summary>
    public string Title => Name.Length == 0 ? "the shared database" : $"the database of region {Name}";

    /// <summary>What is live on servers, read for many together.</summary>
    internal LiveReader Live { get; }

    /// <summary>Does what every server's grain does when it wakes up or is greeted, of a bounded number at once; the others wait their turn.</summary>
    /// <exception cref="StorageUnavailableException">The turn did not come within 5 s.</exception>
    internal async Task<T> InTurn<T>(Func<Task<T>> work, CancellationToken ct)
    {
        if (!await _greetings.WaitAsync(GreetWithin, ct).ConfigureAwait(false))
            throw new StorageUnavailableException($"Too many servers connect at once: {Title} has not answered all within {GreetWithin.TotalSeconds:0} s. They try again.", null);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _greetings.Release();
        }
    }

    /// <summary>Gives up the connections that nobody uses: the server they lead to is gone, and each would have to be found out by a read that fails.</summary>
    internal void ForgetConnections()
    {
        Source.Clear();
        Writes.Clear();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Live.DisposeAsync().ConfigureAwait(false);
        await Source.DisposeAsync().ConfigureAwait(false);
        await Writes.DisposeAsync().ConfigureAwait(false);
        _greetings.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Live.Dispose();
        Source.Dispose();
        Writes.Dispose();
        _greetings.Dispose();
    }
}
