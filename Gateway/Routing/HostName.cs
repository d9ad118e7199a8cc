using System.Net;

namespace Hosting.Gateway.Routing;

/// <summary>What a host name stands for.</summary>
internal enum HostKind
{
    /// <summary>Not a host name at all.</summary>
    Invalid,

    /// <summary>The platform's HTTP API.</summary>
    Api,

    /// <summary>An app's name under the apps domain.</summary>
    App,

    /// <summary>A host name that some app may own.</summary>
    Custom,
}

/// <summary>Reads Host headers, without making strings of them.</summary>
internal static class HostName
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    /// <summary>The header without its port and without the dot of the root.</summary>
    public static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> header)
    {
        var host = header;
        var colon = header.LastIndexOf(':');
        if (colon >= 0 && header[colon..].IndexOf(']') < 0)
            host = header[..colon];
        return host.EndsWith('.') ? host[..^1] : host;
    }

    /// <summary>What the name stands for under an apps domain; letters of any case.</summary>
    public static HostKind Classify(ReadOnlySpan<char> host, ReadOnlySpan<char> appsDomain)
    {
        if (Is(host, "localhost") || Is(host, appsDomain))
            return HostKind.Api;
        if (IPAddress.TryParse(host.Trim("[]"), out var address))
            return IPAddress.IsLoopback(address) ? HostKind.Api : HostKind.Invalid;
        if (!IsValid(host))
            return HostKind.Invalid;
        var label = LabelUnder(host, appsDomain);
        if (label.IsEmpty)
            return HostKind.Custom;
        return Is(label, "api") ? HostKind.Api : HostKind.App;
    }

    /// <summary>The single label in front of the apps domain; empty when the name is not of that form.</summary>
    public static ReadOnlySpan<char> LabelUnder(ReadOnlySpan<char> host, ReadOnlySpan<char> appsDomain)
    {
        var length = host.Length - appsDomain.Length - 1;
        if (length <= 0 || host[length] != '.' || !Is(host[(length + 1)..], appsDomain))
            return default;
        var label = host[..length];
        return label.Contains('.') ? default : label;
    }

    /// <summary>Whether it is a host name by RFC 1123, with a last label that is not a number.</summary>
    public static bool IsValid(ReadOnlySpan<char> host)
    {
        if (host.IsEmpty || host.Length > MaxLength)
            return false;
        var numeric = false;
        foreach (var range in host.Split('.'))
        {
            var label = host[range];
            if (!IsLabel(label))
                return false;
            numeric = !label.ContainsAnyExceptInRange('0', '9');
        }
        return !numeric;
    }

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty || label.Length > MaxLabelLength || label[0] == '-' || label[^1] == '-')
            return false;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }
        return true;
    }

    private static bool Is(ReadOnlySpan<char> one, ReadOnlySpan<char> other) =>
        one.Equals(other, StringComparison.OrdinalIgnoreCase);
}
