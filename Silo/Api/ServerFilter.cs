namespace Hosting.Silo.Api;

/// <summary>The query parameters <c>region</c> and <c>server</c>, where a server is <c>srv-1</c> or <c>eu-1/srv-1</c>; null takes all.</summary>
internal readonly record struct ServerFilter(string? Region, string? Server)
{
    public static IResult Contradiction => Problems.Invalid("server", "must be a server's name (srv-1) or id (eu-1/srv-1), of the region given.");

    /// <summary>False when the server's id names another region than <paramref name="region"/>.</summary>
    public static bool TryParse(string? region, string? server, out ServerFilter filter)
    {
        var slash = server?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        filter = slash < 0 ? new(region, server) : new(server![..slash], server[(slash + 1)..]);
        return slash < 0 || region is null || region == filter.Region;
    }
}
