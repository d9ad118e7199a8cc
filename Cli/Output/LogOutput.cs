using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Hosting.Cli.Api;

namespace Hosting.Cli.Output;

/// <summary>Lines of logs, each after the container that wrote it; on a terminal every container has its colour.</summary>
internal sealed partial class LogOutput(Terminal terminal, bool times)
{
    private const string Reset = "\u001b[0m";

    // Bright enough to be told apart on dark and light grounds; red stays for errors.
    private static readonly string[] Colours = ["36", "33", "32", "35", "34", "96", "93", "92", "95", "94"];

    private readonly Dictionary<string, string> _colours = new(StringComparer.Ordinal);
    private int _widest;

    public void Write(LogLine line)
    {
        var time = times ? line.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ ", CultureInfo.InvariantCulture) : "";
        var container = Cell.Clean(line.Container);
        _widest = Math.Max(_widest, container.Length);
        var prefix = container.PadRight(_widest);
        terminal.Out.WriteLine($"{(terminal.Rich ? $"\u001b[{ColourOf(container)}m{prefix}{Reset}" : prefix)}  {time}{Clean(line.Text)}");
    }

    /// <summary>Without what would move the cursor or change the terminal, and without the colours that programs give to their lines.</summary>
    private static string Clean(string text)
    {
        if (!text.Any(c => char.IsControl(c) && c != '\t')) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var c in Sequence().Replace(text, "")) clean.Append(char.IsControl(c) && c != '\t' ? ' ' : c);
        return clean.ToString();
    }

    private string ColourOf(string container)
    {
        if (!_colours.TryGetValue(container, out var colour))
            _colours[container] = colour = Colours[_colours.Count % Colours.Length];
        return colour;
    }

    // A control sequence of ECMA-48: colours, cursor movements.
    [GeneratedRegex("\u001b\\[[0-?]*[ -/]*[@-~]")]
    private static partial Regex Sequence();
}
