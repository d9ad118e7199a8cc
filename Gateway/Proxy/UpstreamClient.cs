using System.Net;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.Proxy;

/// <summary>How requests travel to replicas: HTTP/1.1 over pooled connections, shared by every upstream.</summary>
internal static class UpstreamClient
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(30);

    /// <summary>The model that all upstreams share.</summary>
    public static ClusterModel CreateModel() => new(
        new ClusterConfig
        {
            ClusterId = "replicas",
            HttpRequest = new ForwarderRequestConfig
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                ActivityTimeout = ActivityTimeout,
            },
        },
        new HttpMessageInvoker(CreateHandler()));

    private static SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = IdleConnection,
    };
}
