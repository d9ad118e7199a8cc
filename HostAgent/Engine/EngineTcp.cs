using System.Net.Security;
using Docker.DotNet;

namespace Hosting.HostAgent.Engine;

/// <summary>
/// The way to an engine over TCP. Docker.DotNet's own neither gives up connecting nor shaking hands when a call is cancelled: to a
/// machine that is frozen or gone a call would take minutes, or never end.
/// </summary>
internal class EngineTcp : Credentials
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(20);

    /// <summary>How both ends show who they are; null where neither does.</summary>
    protected virtual SslClientAuthenticationOptions? Tls => null;

    public override bool IsTlsCredentials() => Tls is not null;

    public override HttpMessageHandler GetHandler(HttpMessageHandler innerHandler)
    {
        innerHandler.Dispose();
        return new SocketsHttpHandler { ConnectTimeout = ConnectTimeout, UseProxy = false, UseCookies = false, AllowAutoRedirect = false, SslOptions = Tls ?? new() };
    }
}
