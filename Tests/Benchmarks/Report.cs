using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Hosting.Benchmarks;

/// <summary>What a benchmark found: one row a figure, ours beside the floor or peer measured in the same run.</summary>
/// <param name="Name">Name of the benchmark.</param>
/// <param name="Conditions">Under which it was measured.</param>
/// <param name="Rows">The figures.</param>
internal sealed record Report(string Name, IReadOnlyList<string> Conditions, IReadOnlyList<Figure> Rows)
{
    /// <summary>What the figures are measured beside: the same done bare, or another platform.</summary>
    public string Peer { get; init; } = "floor";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public void Print(bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(this, Json));
            return;
        }
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        var bare = Rows.Any(row => row.Bare is not null);
        table.AddColumns(["figure", .. bare ? ["bare engine"] : Array.Empty<string>(), "measured", Peer, "to reach", "reached"]);
        foreach (var row in Rows)
            table.AddRow([row.What.EscapeMarkup(), .. bare ? [row.Text(row.Bare)] : Array.Empty<string>(), row.Text(row.Measured), row.Text(row.Floor), row.Goal ?? "", row.Verdict]);
        AnsiConsole.Write(table);
        foreach (var condition in Conditions)
            AnsiConsole.WriteLine(condition);
    }
}

/// <summary>One figure.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Measured">Ours.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Floor">The same done bare, or by the peer, in the same run; null when there is no such thing.</param>
/// <param name="Goal">What is to be reached, in words; null when there is no goal.</param>
/// <param name="Reached">Whether it is; null when there is no goal.</param>
internal sealed record Figure(string What, double Measured, string Unit, double? Floor = null, string? Goal = null, bool? Reached = null)
{
    /// <summary>What it takes the engine alone, in the same run, where it is measured beside a peer; else null.</summary>
    public double? Bare { get; init; }

    internal string Verdict => Reached switch { true => "yes", false => "NO", null => "" };

    internal string Text(double? value) => value is { } v ? string.Create(CultureInfo.InvariantCulture, $"{v:0.##} {Unit}").TrimEnd() : "";
}

/// <summary>It was called wrongly.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The benchmark cannot measure what it should, and says why instead of printing a figure.</summary>
internal sealed class PreconditionException(string message) : Exception(message);
