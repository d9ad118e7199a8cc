namespace Hosting.Cli.Output;

/// <summary>What a cell of a table wants to say by its colour.</summary>
internal enum Tone
{
    Plain,
    Good,
    Waiting,
    Bad,
    Quiet,
}

/// <summary>A cell of a table.</summary>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");

    public static implicit operator Cell(int number) => new(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Words of others, without characters that would move the cursor or change the terminal.</summary>
    public static string Clean(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;
}
