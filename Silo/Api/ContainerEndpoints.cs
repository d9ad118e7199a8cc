using Hosting.Grains.Storage;

namespace Hosting.Silo.Api;

/// <summary>/v1/containers: the deployment records, from their store.</summary>
internal static class ContainerEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/containers", List).WithTags("containers").WithName("ListContainers")
            .WithSummary("Deployment records by app, region and server (eu-1/srv-1); with all=true also those that are over and not forgotten yet.")
            .Produces<ContainerView[]>().ProducesValidationProblem();

    private static async Task<IResult> List(
        PoolStore pool, HttpResponse response, CancellationToken cancel, string? app = null, string? region = null, string? server = null,
        bool all = false, int limit = Limits.DefaultItems)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!ServerFilter.TryParse(region, server, out var on)) return ServerFilter.Contradiction;
        var filter = new ContainerFilter { App = app, Region = on.Region, Server = on.Server, IncludeOver = all, Limit = limit };
        var (records, missing) = await pool.FindContainers(filter, cancel).Bounded(cancel);
        RegionQueries.NoteMissing(response, missing);
        return TypedResults.Ok(records.Select(ContainerView.Of).ToArray());
    }
}
