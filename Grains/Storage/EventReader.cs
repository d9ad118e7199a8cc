namespace Hosting.Grains.Storage;

/// <summary>Some events, the newest last.</summary>
/// <param name="Events">The events.</param>
/// <param name="Before">The place they begin at: it moves past each event to that behind it.</param>
/// <param name="Next">The place behind them, for whoever reads on.</param>
/// <param name="Missing">Databases whose events are missing because they do not answer, for people.</param>
public sealed record EventPage(IReadOnlyList<PlatformEvent> Events, EventPlace Before, EventPlace Next, IReadOnlyList<string> Missing);

/// <summary>Reads the diary of all databases as one, ordered by time; within a database in the order of ids.</summary>
internal static class EventReader
{
    public static async Task<EventPage> Read(Databases databases, EventFilter filter, CancellationToken ct)
    {
        var (answers, missing) = await databases.Ask(filter.Region, database => Read(database, filter, ct)).ConfigureAwait(false);
        var before = filter.After ?? EventPlace.None;
        var next = before;
        foreach (var (database, events) in answers)
        {
            var newest = events.Count > 0 ? events[^1].Id : filter.After?.In(database) ?? 0;
            next = next.Past(database, newest);
        }
        var chosen = Merge(answers, filter);
        foreach (var (database, _) in answers.Where(answer => filter.After?.In(answer.Database) is null))
        {
            var first = chosen.FirstOrDefault(e => e.Database == database);
            before = before.Past(database, first is null ? next.In(database)!.Value : first.Id - 1);
        }
        return new EventPage(chosen, before, next, missing);
    }

    /// <summary>Without a place the newest of all; behind one all that were read, since none may be left out.</summary>
    private static List<PlatformEvent> Merge(IReadOnlyList<(string Database, List<PlatformEvent> Events)> answers, EventFilter filter)
    {
        if (answers.Count == 1)
            return answers[0].Events;
        var all = answers.SelectMany(answer => answer.Events).OrderBy(e => e.At).ToList();
        return filter.After is null && all.Count > filter.Limit ? all[^filter.Limit..] : all;
    }

    private static async Task<(string Database, List<PlatformEvent> Events)> Read(Database database, EventFilter filter, CancellationToken ct)
    {
        await using var command = EventQuery.Create(database.Source, filter, filter.After?.In(database.Name));
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return (database.Name, await EventQuery.ReadAll(reader, database.Name, ct).ConfigureAwait(false));
    }
}
