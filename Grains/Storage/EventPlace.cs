using System.Globalization;

namespace Hosting.Grains.Storage;

/// <summary>
/// A place in the diary: the id of the last event read in each database. As text, with the shared database alone, that id
/// (<c>120</c>); with databases of regions <c>120,eu-1:55</c>.
/// </summary>
public sealed class EventPlace
{
    private const int MostDatabases = 1000;
    private readonly Dictionary<string, long> _ids;

    private EventPlace(Dictionary<string, long> ids) => _ids = ids;

    /// <summary>The place that names no database.</summary>
    public static EventPlace None { get; } = new([]);

    /// <summary>This place, moved to behind an event.</summary>
    public EventPlace Past(string database, long id) => new(new(_ids, StringComparer.Ordinal) { [database] = id });

    /// <summary>The id of the last event read in a database; null when this place was made without it.</summary>
    public long? In(string database) => _ids.TryGetValue(database, out var id) ? id : null;

    /// <summary>Reads the text form; null when it is none.</summary>
    public static EventPlace? TryParse(string text)
    {
        var ids = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var part in text.Split(',', MostDatabases))
        {
            var colon = part.LastIndexOf(':');
            if (!long.TryParse(part.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !ids.TryAdd(part[..Math.Max(colon, 0)], id))
                return null;
        }
        return new EventPlace(ids);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', _ids
        .OrderBy(id => id.Key, StringComparer.Ordinal)
        .Select(id => id.Key.Length == 0 ? $"{id.Value}" : $"{id.Key}:{id.Value}"));
}
