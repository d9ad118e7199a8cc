using Hosting.Gateway.Routing;

namespace Hosting.Gateway.Proxy;

/// <summary>
/// Where a request was tried, told to who asks for it: <c>X-Hosting-Route: eu-1/shop-7f3, us-1/shop-a21</c>, the one that
/// answered last. A request that does not ask costs one look at its headers.
/// </summary>
internal sealed class RouteTaken
{
    /// <summary>A request with this header set to 1 is told.</summary>
    internal const string Ask = "X-Hosting-Explain";

    /// <summary>The header of the answer.</summary>
    internal const string Answer = "X-Hosting-Route";

    // A request that waits long for a container may try many times; the last tries tell enough.
    private const int Most = 16;
    private readonly Queue<string> _places = new();

    /// <summary>A try is about to begin.</summary>
    public static void Note(HttpContext context, Replica replica)
    {
        if (context.Request.Headers[Ask] != "1")
            return;
        var taken = context.Features.Get<RouteTaken>();
        if (taken is null)
            context.Features.Set(taken = new RouteTaken());
        if (taken._places.Count == Most)
            taken._places.Dequeue();
        taken._places.Enqueue(replica.Place);
    }

    /// <summary>The answer's headers are about to be sent.</summary>
    public static void Tell(HttpContext context)
    {
        if (context.Request.Headers[Ask] == "1" && context.Features.Get<RouteTaken>() is { } taken)
            context.Response.Headers[Answer] = string.Join(", ", taken._places);
    }
}
