using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Storage;

/// <summary>
/// The platform's diary, in the database of the region that an event happened in. Writing never waits and never fails; a
/// database that is away costs its own events alone, and those only after some thousand.
/// </summary>
public sealed class EventLog(Databases databases, TimeProvider time, ILogger<EventLog> logger) : IAsyncDisposable, IDisposable
{
    private readonly Dictionary<Database, EventWriter> writers =
        databases.All.ToDictionary(database => database, database => new EventWriter(database.Writes, time, logger));

    /// <summary>Events dropped since the start, because they could not be stored.</summary>
    public long Dropped => writers.Values.Sum(writer => writer.Dropped);

    /// <summary>Notes an event. Returns at once.</summary>
    public void Write(PlatformEvent e) => writers[databases.Of(e.Region)].Write(e);

    /// <summary>Stored events: behind a place the first ones, otherwise the last ones.</summary>
    public Task<EventPage> Read(EventFilter filter, CancellationToken ct) => EventReader.Read(databases, filter, ct);

    /// <summary>Stores what is queued, for at most five seconds, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers.Values)
            await writer.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Stops at once.</summary>
    public void Dispose()
    {
        foreach (var writer in writers.Values)
            writer.Dispose();
    }
}
