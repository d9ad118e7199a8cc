using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.Proxy;

/// <summary>
/// Keeps the Host header and says who asked. What a client claims in X-Forwarded headers is replaced: the gateway is the
/// outermost hop that a container can trust.
/// </summary>
internal sealed class ForwardedHeaders : HttpTransformer
{
    /// <summary>A request with this header set to 1 learns which container answered.</summary>
    internal const string Debug = "X-Hosting-Debug";

    /// <summary>The id of the container that answered.</summary>
    internal const string Container = "X-Hosting-Container";

    private const string For = "X-Forwarded-For";
    private const string Proto = "X-Forwarded-Proto";
    private const string Host = "X-Forwarded-Host";

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        Set(proxyRequest, For, ClientOf(httpContext));
        Set(proxyRequest, Proto, httpContext.Request.Scheme);
        Set(proxyRequest, Host, httpContext.Request.Headers.Host.ToString());
        proxyRequest.Headers.Remove("X-Forwarded-Prefix");
    }

    public override ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var answer = base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        if (proxyResponse is not null && httpContext.Request.Headers[Debug] == "1")
            httpContext.Response.Headers[Container] = httpContext.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.DestinationId;
        RouteTaken.Tell(httpContext);
        return answer;
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }

    private static string ClientOf(HttpContext context)
    {
        var address = context.Features.Get<IHttpConnectionFeature>()?.RemoteIpAddress;
        return (address?.IsIPv4MappedToIPv6 == true ? address.MapToIPv4() : address)?.ToString() ?? "unknown";
    }
}
