using System.Text;
using Spectre.Console;

namespace Hosting.Cli.Output;

/// <summary>A table: with colour on a terminal, plain aligned text elsewhere.</summary>
internal sealed class Listing(params string[] headings)
{
    private const int Widest = 4_000;

    private readonly List<Cell[]> _rows = [];

    /// <summary>Headings that end with this mark stand over numbers, which are aligned on the right.</summary>
    private const char Number = '#';

    public void Add(params Cell[] row) => _rows.Add([.. row.Select(cell => cell with { Text = Cell.Clean(cell.Text) })]);

    /// <summary>Writes the table, or a sentence when it has no rows.</summary>
    public void Write(Terminal terminal, string whenEmpty)
    {
        if (_rows.Count == 0) terminal.Out.WriteLine(whenEmpty);
        else if (terminal.Rich) WriteRich(terminal);
        else WritePlain(terminal.Out);
    }

    private void WritePlain(TextWriter output)
    {
        var widths = headings.Select((heading, i) => _rows.Select(row => row[i].Text.Length).Append(heading.TrimEnd(Number).Length).Max()).ToArray();
        output.WriteLine(Line(headings.Select(h => h.TrimEnd(Number).ToUpperInvariant()), widths));
        foreach (var row in _rows) output.WriteLine(Line(row.Select(cell => cell.Text), widths));
    }

    private string Line(IEnumerable<string> texts, int[] widths)
    {
        var line = new StringBuilder();
        foreach (var (i, text) in texts.Index())
            line.Append(IsNumber(i) ? text.PadLeft(widths[i]) : text.PadRight(widths[i])).Append("  ");
        return line.ToString().TrimEnd();
    }

    private void WriteRich(Terminal terminal)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var (i, heading) in headings.Index())
        {
            var column = new TableColumn(new Text(heading.TrimEnd(Number).ToUpperInvariant(), new Style(decoration: Decoration.Bold)));
            table.AddColumn(IsNumber(i) ? column.RightAligned() : column);
        }
        foreach (var row in _rows) table.AddRow(row.Select(cell => new Text(cell.Text, StyleOf(cell.Tone))));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(terminal.Out),
        });
        // Lines that are too long are wrapped by the terminal, where they can be selected whole; not inside of names.
        console.Profile.Width = Widest;
        console.Write(table);
    }

    private bool IsNumber(int column) => headings[column].EndsWith(Number);

    private static Style StyleOf(Tone tone) => tone switch
    {
        Tone.Good => new Style(Color.Green),
        Tone.Waiting => new Style(Color.Yellow),
        Tone.Bad => new Style(Color.Red),
        Tone.Quiet => new Style(Color.Grey),
        _ => Style.Plain,
    };
}
