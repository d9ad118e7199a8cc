using System.Globalization;

namespace Hosting.HostAgent.Health;

/// <summary>An address and a port in one text.</summary>
internal static class HostPort
{
    /// <summary><c>host:port</c>, and <c>[address]:port</c> for IPv6.</summary>
    public static string Of(string address, int port) => string.Create(CultureInfo.InvariantCulture,
        $"{(address.Contains(':') && !address.StartsWith('[') ? $"[{address}]" : address)}:{port}");
}
