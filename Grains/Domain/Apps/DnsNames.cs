namespace Hosting.Domain.Apps;

/// <summary>The forms of names that DNS accepts (RFC 1123, section 2.1).</summary>
public static class DnsNames
{
    /// <summary>Whether it is a label: 1 to 63 of a-z, 0-9 and dashes, with no dash at either end.</summary>
    public static bool IsLabel(ReadOnlySpan<char> name) =>
        name.Length is >= 1 and <= 63 && name[0] != '-' && name[^1] != '-'
        && !name.ContainsAnyExcept(LabelCharacters);

    /// <summary>Whether it is a host name in lower case: labels joined by dots, 253 characters at most, not an IPv4 address.</summary>
    public static bool IsHostname(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 253)
            return false;
        ReadOnlySpan<char> last = default;
        foreach (var part in name.Split('.'))
        {
            last = name[part];
            if (!IsLabel(last))
                return false;
        }
        return last.ContainsAnyExceptInRange('0', '9');
    }

    private static readonly System.Buffers.SearchValues<char> LabelCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
}
