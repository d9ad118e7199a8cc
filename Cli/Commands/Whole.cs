using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Hosting.Cli.Commands;

/// <summary>Whole numbers on the command line, refused in words of their users.</summary>
internal static class Whole
{
    /// <summary>An option that takes a whole number.</summary>
    public static Option<int?> Option(string name, string description, string unit) =>
        new(name) { Description = description, HelpName = unit, CustomParser = result => Parse(result, name) };

    /// <summary>The parser of an option or argument.</summary>
    public static int? Parse(ArgumentResult result, string name)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return number;
        result.AddError($"{name} must be a whole number, not '{text}'.");
        return null;
    }
}
