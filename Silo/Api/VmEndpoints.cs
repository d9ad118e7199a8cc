namespace Hosting.Silo.Api;

/// <summary>/v1/vms: the machines in which containers run.</summary>
internal static class VmEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/vms", List).WithTags("vms").WithName("ListVms")
            .WithSummary("Every VM with what is free in it, by region and server (eu-1/srv-1).")
            .Produces<VmView[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<IResult> List(
        HttpResponse response, RegionQueries regions, CancellationToken cancel,
        string? region = null, string? server = null, int limit = Limits.DefaultItems)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        if (!ServerFilter.TryParse(region, server, out var on)) return ServerFilter.Contradiction;
        var names = await regions.Names(cancel);
        if (on.Region is not null && !names.Contains(on.Region)) return Problems.NoSuchRegion(on.Region, names);
        var answers = await regions.Ask(on.Region is null ? names : [on.Region], name => regions.Servers(name, cancel));
        var vms = RegionQueries.Complete(response, answers).SelectMany(servers => servers)
            .Where(s => on.Server is null || s.Server.Name == on.Server)
            .SelectMany(s => s.Vms).Select(VmView.Of);
        return TypedResults.Ok(vms.OrderBy(vm => vm.Id, StringComparer.Ordinal).Take(limit).ToArray());
    }
}
