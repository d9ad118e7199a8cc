using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Api;

/// <summary>/v1/vms: the machines in which containers run, and what an operator may change of one.</summary>
internal static class VmEndpoints
{
    private const string OfOne = "/{region}/{server}/{vm}";

    public static void Map(IEndpointRouteBuilder v1)
    {
        var vms = v1.MapGroup("/vms").WithTags("vms");
        vms.MapGet("/", List).WithName("ListVms")
            .WithSummary("Every VM with what is free in it, by region and server (eu-1/srv-1).")
            .Produces<VmView[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
        vms.MapGet(OfOne, Get).WithName("GetVm").WithSummary("One VM.")
            .Produces<VmView>().ProducesProblem(StatusCodes.Status404NotFound);
        vms.MapPatch(OfOne, Patch).WithName("PatchVm")
            .WithSummary("Cordon a VM, or open it (cordoned; false also ends a drain).")
            .Accepts<VmChange>("application/json")
            .Produces<VmView>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        vms.MapPost(OfOne + "/drain", Drain).WithName("DrainVm")
            .WithSummary("Cordon a VM and move everything away, replacement first; containers says how many are left. PATCH cordoned false ends it.")
            .Produces<VmView>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound);
    }

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

    private static async Task<IResult> Get(string region, string server, string vm, RegionQueries regions, CancellationToken cancel) =>
        await Find(region, server, vm, regions, cancel) is { } found
            ? TypedResults.Ok(found)
            : Problems.NoSuchVm(GrainKeys.Vm(region, server, vm));

    private static async Task<IResult> Patch(
        string region, string server, string vm, HttpRequest request, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var body = await RequestBody.Read<VmChange>(request, cancel);
        if (body.Problem is not null) return body.Problem;
        return await Configure(region, server, vm, new VmPatch { Cordoned = body.Value!.Cordoned }, grains, regions, cancel)
            ? await Get(region, server, vm, regions, cancel)
            : Problems.NoSuchVm(GrainKeys.Vm(region, server, vm));
    }

    private static async Task<IResult> Drain(
        string region, string server, string vm, IGrainFactory grains, RegionQueries regions, CancellationToken cancel) =>
        await Configure(region, server, vm, new VmPatch { Draining = true }, grains, regions, cancel)
        && await Find(region, server, vm, regions, cancel) is { } found
            ? TypedResults.Accepted((string?)null, found)
            : Problems.NoSuchVm(GrainKeys.Vm(region, server, vm));

    private static async Task<bool> Configure(
        string region, string server, string vm, VmPatch patch, IGrainFactory grains, RegionQueries regions, CancellationToken cancel) =>
        await Find(region, server, vm, regions, cancel) is not null
        && await grains.GetGrain<IServerGrain>(GrainKeys.Server(region, server)).ConfigureVm(vm, patch).Bounded(cancel) is not null;

    private static async Task<VmView?> Find(string region, string server, string vm, RegionQueries regions, CancellationToken cancel) =>
        (await ServerEndpoints.Find(region, server, regions, cancel))?.Vms.FirstOrDefault(v => v.Vm.Name == vm) is { } found ? VmView.Of(found) : null;
}

/// <summary>What a PATCH of a VM holds.</summary>
internal sealed record VmChange
{
    /// <summary>Closes the VM for new containers, or opens it, which ends a drain, too.</summary>
    public required bool Cordoned { get; init; }
}
