using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Api;

/// <summary>/v1/servers: the pool, and what an operator may change of a server.</summary>
internal static class ServerEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        var servers = v1.MapGroup("/servers").WithTags("servers");
        servers.MapGet("/", List).WithName("ListServers")
            .WithSummary("Every server with its utilization, its thresholds, and whether it admits containers and why not.")
            .Produces<ServerView[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
        servers.MapGet("/{region}/{server}", Get).WithName("GetServer").WithSummary("One server.")
            .Produces<ServerView>().ProducesProblem(StatusCodes.Status404NotFound);
        servers.MapPatch("/{region}/{server}", Patch).WithName("PatchServer")
            .WithSummary("Cordon a server (cordoned; false also ends a drain), or give it thresholds of its own; what is left out stays; thresholds null goes back to the region's.")
            .Accepts<ServerChange>("application/json")
            .Produces<ServerView>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
        servers.MapPost("/{region}/{server}/drain", Drain).WithName("DrainServer")
            .WithSummary("Cordon a server and move everything away, replacement first; containers says how many are left. PATCH cordoned false ends it.")
            .Produces<ServerView>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound);
        servers.MapPost("/{region}/{server}/check", BeginCheck).WithName("CheckServer")
            .WithSummary("Measure whether the server's primary feels its VMs, for about 15 s; GET says what came of it.")
            .Produces<ServerCheck>(StatusCodes.Status202Accepted).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        servers.MapGet("/{region}/{server}/check", GetCheck).WithName("GetServerCheck")
            .WithSummary("The last check of a server: running, done with its verdict (notFelt, felt, cannotTell), or failed with the reason.")
            .Produces<ServerCheck>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> List(
        HttpResponse response, RegionQueries regions, CancellationToken cancel, string? region = null, int limit = Limits.DefaultItems)
    {
        if (Limits.Check(limit) is { } problem) return problem;
        var names = await regions.Names(cancel);
        if (region is not null && !names.Contains(region)) return Problems.NoSuchRegion(region, names);
        var answers = await regions.Ask(region is null ? names : [region], name => regions.Servers(name, cancel));
        var servers = RegionQueries.Complete(response, answers).SelectMany(inRegion => inRegion).Select(ServerView.Of);
        return TypedResults.Ok(servers.OrderBy(s => s.Id, StringComparer.Ordinal).Take(limit).ToArray());
    }

    private static async Task<IResult> Get(string region, string server, RegionQueries regions, CancellationToken cancel) =>
        await Find(region, server, regions, cancel) is { } found
            ? TypedResults.Ok(ServerView.Of(found))
            : Problems.NoSuchServer(GrainKeys.Server(region, server));

    private static async Task<IResult> Patch(
        string region, string server, HttpRequest request, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var body = await RequestBody.Read<ServerChange>(request, cancel);
        if (body.Problem is not null) return body.Problem;
        var change = body.Value!;
        if (change.IsEmpty) return Problems.Invalid("$", "names nothing to change; give cordoned or thresholds.");
        if (ThresholdRules.Check(change.Thresholds) is { } invalid) return invalid;
        if (await Find(region, server, regions, cancel) is null) return Problems.NoSuchServer(GrainKeys.Server(region, server));
        var patch = new ServerPatch { Cordoned = change.Cordoned, Thresholds = change.Thresholds, ResetThresholds = change.ResetThresholds };
        var done = await grains.GetGrain<IServerGrain>(GrainKeys.Server(region, server)).Configure(patch).Bounded(cancel);
        if (done.Refused is { } refused) return ThresholdRules.Refused(refused);
        return await Get(region, server, regions, cancel);
    }

    private static async Task<IResult> Drain(
        string region, string server, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        if (await Find(region, server, regions, cancel) is null) return Problems.NoSuchServer(GrainKeys.Server(region, server));
        await grains.GetGrain<IServerGrain>(GrainKeys.Server(region, server)).Configure(new ServerPatch { Draining = true }).Bounded(cancel);
        return await Find(region, server, regions, cancel) is { } found
            ? TypedResults.Accepted((string?)null, ServerView.Of(found))
            : Problems.NoSuchServer(GrainKeys.Server(region, server));
    }

    private static async Task<IResult> BeginCheck(
        string region, string server, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var id = GrainKeys.Server(region, server);
        if (await Find(region, server, regions, cancel) is null) return Problems.NoSuchServer(id);
        var begun = await grains.GetGrain<IServerGrain>(id).BeginCheck().Bounded(cancel);
        return begun.Check is { } check
            ? TypedResults.Accepted((string?)null, check)
            : Problems.Conflict(new Dictionary<string, string[]> { ["server"] = [begun.Refused!] });
    }

    private static async Task<IResult> GetCheck(
        string region, string server, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var id = GrainKeys.Server(region, server);
        if (await Find(region, server, regions, cancel) is null) return Problems.NoSuchServer(id);
        return await grains.GetGrain<IServerGrain>(id).GetCheck().Bounded(cancel) is { } check
            ? TypedResults.Ok(check)
            : Problems.NotFound($"No check of the server '{id}' is remembered: POST begins one.");
    }

    /// <summary>A server as its region tells it; null when there is no such region or server.</summary>
    public static async Task<ServerStatus?> Find(string region, string server, RegionQueries regions, CancellationToken cancel)
    {
        // Asked of a region that does not exist, a grain would fail as if the region were down.
        var names = await regions.Names(cancel);
        if (!names.Contains(region)) return null;
        return (await regions.Servers(region, cancel)).FirstOrDefault(s => s.Server.Name == server);
    }
}

/// <summary>What a PATCH of a server may hold. A field that is left out stays as it is.</summary>
internal sealed record ServerChange
{
    /// <summary>Closes the server for new containers, or opens it.</summary>
    public bool? Cordoned { get; init; }

    /// <summary>Thresholds of the server's own; one that is left out stays as it is, null goes back to those of its region.</summary>
    public ThresholdsPatch? Thresholds
    {
        get;
        init
        {
            field = value;
            // The serializer sets only what the body names: a null here was written there.
            ResetThresholds = value is null;
        }
    }

    [System.Text.Json.Serialization.JsonIgnore] public bool ResetThresholds { get; private init; }

    [System.Text.Json.Serialization.JsonIgnore] public bool IsEmpty => Cordoned is null && Thresholds is null && !ResetThresholds;
}
