using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>
/// Which PostgreSQL holds what: a region's servers, VMs, deployment records, events and documents lie in a database of its
/// own, if it has one, and all else in the shared one. One database for everything is the usual case.
/// </summary>
public sealed class Databases : IAsyncDisposable, IDisposable
{
    // Less than what a caller of the API waits, so that a database that is away does not cost it the answers of the others.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, Database> _regional;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="shared">Connection string of the shared database.</param>
    /// <param name="regional">Connection strings of the regions that have a database of their own; two regions may share one.</param>
    public Databases(string shared, IReadOnlyDictionary<string, string>? regional = null)
    {
        Shared = new Database("", shared);
        _regional = (regional ?? new Dictionary<string, string>())
            .OrderBy(region => region.Key, StringComparer.Ordinal)
            .GroupBy(region => region.Value, StringComparer.Ordinal)
            .SelectMany(same =>
            {
                var database = new Database(same.First().Key, same.Key);
                return same.Select(region => KeyValuePair.Create(region.Key, database));
            })
            .ToDictionary(StringComparer.Ordinal);
        All = [Shared, .. _regional.Values.Distinct()];
    }

    /// <summary>Apps, host names and the membership; and every region without a database of its own.</summary>
    public Database Shared { get; }

    /// <summary>Every database, the shared one first.</summary>
    public IReadOnlyList<Database> All { get; }

    /// <summary>The database of a region; of what belongs to none the shared one.</summary>
    public Database Of(string? region) => region is not null && _regional.TryGetValue(region, out var own) ? own : Shared;

    /// <summary>
    /// Asks databases side by side, each for at most 3 s. What does not answer is named in the result, and so costs a list
    /// that part alone.
    /// </summary>
    /// <param name="region">Asks only the database of this region; null asks all.</param>
    /// <param name="question">What to ask of each.</param>
    /// <exception cref="NpgsqlException">None answered (or what else the first one failed with).</exception>
    public async Task<Partial<T>> Ask<T>(string? region, Func<Database, Task<T>> question)
    {
        IReadOnlyList<Database> asked = region is null ? All : [Of(region)];
        if (asked.Count == 1)
            return new([await question(asked[0]).ConfigureAwait(false)], []);
        var answers = await Task.WhenAll(asked.Select(database => Try(database, question))).ConfigureAwait(false);
        if (answers.All(answer => answer.Failure is not null))
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(answers[0].Failure!);
        return new(
            [.. answers.Where(answer => answer.Failure is null).Select(answer => answer.Value!)],
            [.. answers.Where(answer => answer.Failure is not null).Select(answer => answer.Database.Title)]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var database in All)
            await database.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var database in All)
            database.Dispose();
    }

    private static async Task<(Database Database, T? Value, Exception? Failure)> Try<T>(Database database, Func<Database, Task<T>> question)
    {
        try
        {
            return (database, await question(database).WaitAsync(Patience).ConfigureAwait(false), null);
        }
        catch (Exception e) when (Transient.Is(e))
        {
            return (database, default, e);
        }
    }
}

/// <summary>What some databases answered.</summary>
/// <param name="Answers">One of each that answered.</param>
/// <param name="Missing">Those that did not, for people.</param>
public sealed record Partial<T>(IReadOnlyList<T> Answers, IReadOnlyList<string> Missing);
