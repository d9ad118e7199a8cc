using System.Globalization;
using System.Text;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>
/// How far a reader of an app's logs has come in each container. Its text is the id of a line in a stream: whoever brings it
/// back is told what follows, from any silo. Containers that it does not name are told from their beginning.
/// </summary>
internal sealed class LogCursor(string app)
{
    private const char BetweenContainers = '~';
    private const char WithinContainer = '.';
    private readonly SortedDictionary<string, LogPosition> _positions = new(StringComparer.Ordinal);

    /// <summary>Ids of the containers it names.</summary>
    public IReadOnlyCollection<string> Containers => _positions.Keys;

    /// <summary>The place in a container's log; its beginning when the container is not named.</summary>
    public LogPosition this[string container]
    {
        get => _positions.GetValueOrDefault(container);
        set => _positions[container] = value;
    }

    /// <summary>A container is over: nothing follows.</summary>
    public void Remove(string container) => _positions.Remove(container);

    /// <summary>Reads an id; null when it is none of a line of this app.</summary>
    public static LogCursor? Parse(string app, string text)
    {
        var cursor = new LogCursor(app);
        foreach (var part in text.Split(BetweenContainers))
        {
            if (part.Split(WithinContainer) is not [{ Length: > 0 } suffix, var at, var count] || !DnsLabel.IsValid($"{app}-{suffix}")
                || !long.TryParse(at, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var time) || time < 0
                || !int.TryParse(count, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) || number < 0)
                return null;
            cursor[$"{app}-{suffix}"] = new(time, number);
        }
        return cursor;
    }

    /// <summary>The id of a line that was just told.</summary>
    public override string ToString() => Text(except: null);

    /// <summary>What stays the same in the ids of lines of one container.</summary>
    public string Others(string container) => Text(container);

    /// <summary>The id of a line, from the part that stays the same.</summary>
    public string Id(string container, LogPosition position, string others) =>
        others.Length == 0 ? Part(container, position) : $"{Part(container, position)}{BetweenContainers}{others}";

    private string Text(string? except)
    {
        var text = new StringBuilder();
        foreach (var (container, position) in _positions)
        {
            if (container == except) continue;
            if (text.Length > 0) text.Append(BetweenContainers);
            text.Append(Part(container, position));
        }
        return text.ToString();
    }

    // Every id of a container begins with the name of its app and a dash.
    private string Part(string container, LogPosition position) =>
        string.Create(CultureInfo.InvariantCulture, $"{container[(app.Length + 1)..]}{WithinContainer}{position.At:x}{WithinContainer}{position.Count:x}");
}
