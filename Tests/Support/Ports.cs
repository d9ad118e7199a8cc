using System.Net;
using System.Net.Sockets;

namespace Hosting.Support;

/// <summary>Ports of this machine.</summary>
public static class Ports
{
    /// <summary>One of loopback that nobody listens on now.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
