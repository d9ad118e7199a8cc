namespace Hosting.Silo.Api;

/// <summary>The rule of RFC 1123 for one label of a host name, in lower case.</summary>
internal static class DnsLabel
{
    /// <summary>The rule in words, to follow the name of a field.</summary>
    public const string Rule = "must be a DNS label: 1 to 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.";

    public static bool IsValid(string text) =>
        text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-'
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
