using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>A line of one of an app's containers. Ordered by time, and within a container as they were written.</summary>
internal readonly record struct AppLine(string Container, LogLine Line) : IComparable<AppLine>
{
    public int CompareTo(AppLine other)
    {
        var byTime = Line.Position.At.CompareTo(other.Line.Position.At);
        if (byTime != 0) return byTime;
        var byContainer = string.CompareOrdinal(Container, other.Container);
        return byContainer != 0 ? byContainer : Line.Position.Count.CompareTo(other.Line.Position.Count);
    }
}

/// <summary>Keeps the newest of many lines, however they come.</summary>
/// <param name="most">Lines that are kept.</param>
internal sealed class NewestLines(int most)
{
    /// <summary>Characters that are kept: the memory that one request may take.</summary>
    private const int MostCharacters = 8 * 1024 * 1024;

    private readonly PriorityQueue<AppLine, AppLine> _oldestFirst = new();
    private int _characters;

    /// <summary>Lines that were wanted and did not fit.</summary>
    public bool Cut { get; private set; }

    /// <summary>Takes lines of a container.</summary>
    public void Add(string container, IEnumerable<LogLine> lines)
    {
        foreach (var line in lines)
        {
            var added = new AppLine(container, line);
            _oldestFirst.Enqueue(added, added);
            _characters += line.Text.Length;
            while (_oldestFirst.Count > most || _characters > MostCharacters)
            {
                Cut |= _oldestFirst.Count <= most;
                _characters -= _oldestFirst.Dequeue().Line.Text.Length;
            }
        }
    }

    /// <summary>What was kept, the newest last.</summary>
    public IReadOnlyList<AppLine> InOrder()
    {
        var lines = _oldestFirst.UnorderedItems.Select(item => item.Element).ToList();
        lines.Sort();
        return lines;
    }
}
