using Hosting.Regions;

namespace Hosting.Silo.Api;

/// <summary>/v1/regions: what each region has, and its policy.</summary>
internal static class RegionEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        var regions = v1.MapGroup("/regions").WithTags("regions");
        regions.MapGet("/", List).WithName("ListRegions")
            .WithSummary("Every region with its thresholds and what it has; a region that does not answer has nulls and a reason.")
            .Produces<RegionView[]>();
        regions.MapPatch("/{region}", Patch).WithName("PatchRegion")
            .WithSummary("Change a region's policy: thresholds of every server that has none of its own, and when and how fast containers leave a server. What is left out stays.")
            .Accepts<RegionPatch>("application/json")
            .Produces<RegionView>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
    }

    private static async Task<IResult> List(IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var answers = await regions.Ask(await regions.Names(cancel), name => View(name, grains, regions, cancel));
        return TypedResults.Ok(answers.Select(a => a.Value ?? RegionView.Silent(a.Region)).ToArray());
    }

    private static async Task<IResult> Patch(string region, HttpRequest request, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var body = await RequestBody.Read<RegionPatch>(request, cancel);
        if (body.Problem is not null) return body.Problem;
        var patch = body.Value!;
        if (RegionPatchRules.Check(patch) is { } invalid) return invalid;
        var names = await regions.Names(cancel);
        if (!names.Contains(region)) return Problems.NoSuchRegion(region, names);
        if (await grains.GetGrain<IRegionGrain>(region).Configure(patch).Bounded(cancel) is { } refused)
            return ThresholdRules.Refused(refused);
        return TypedResults.Ok(await View(region, grains, regions, cancel));
    }

    private static async Task<RegionView> View(string name, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var policy = grains.GetGrain<IRegionGrain>(name).GetPolicy().Bounded(cancel);
        var servers = regions.Servers(name, cancel);
        await Task.WhenAll(policy, servers);
        return RegionView.Of(name, await policy, await servers);
    }
}
