using Hosting.Placement;

namespace Hosting.Silo.Api;

/// <summary>/v1/placements: why a demand is placed where it is, or nowhere.</summary>
internal static class PlacementEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapPost("/placements/explain", Explain).WithTags("placements").WithName("ExplainPlacement")
            .WithSummary("Which VMs would take a demand, with the numbers, and which rule excludes each of the others. Changes nothing.")
            .Accepts<ExplainRequest>("application/json")
            .Produces<PlacementExplanation[]>().ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status415UnsupportedMediaType);

    private static async Task<IResult> Explain(HttpContext http, IGrainFactory grains, RegionQueries regions, CancellationToken cancel)
    {
        var body = await RequestBody.Read<ExplainRequest>(http.Request, cancel);
        if (body.Problem is not null) return body.Problem;
        var request = body.Value!;
        var names = await regions.Names(cancel);
        if (request.Check(names) is { Count: > 0 } errors) return Problems.Invalid(errors);
        var demand = request.ToPlacement();
        var answers = await regions.Ask(
            request.ChosenRegions ?? names, name => grains.GetGrain<IPlacementGrain>(name).Explain(demand, request.Best).Bounded(http.RequestAborted));
        return TypedResults.Ok(RegionQueries.Complete(http.Response, answers).ToArray());
    }
}

/// <summary>A demand to be explained.</summary>
internal sealed record ExplainRequest
{
    /// <summary>CPU in thousandths of a core, 1 to 1,000,000.</summary>
    public required int CpuMillis { get; init; }

    /// <summary>Memory in MiB, 4 to 16,777,216.</summary>
    public required int MemoryMiB { get; init; }

    /// <summary>App whose replicas count for spreading; null for none.</summary>
    public string? App { get; init; }

    /// <summary>One region; null for <see cref="Regions"/>.</summary>
    public string? Region { get; init; }

    /// <summary>Several regions; null or empty for all.</summary>
    public IReadOnlyList<string>? Regions { get; init; }

    /// <summary>Whether replicas of the app avoid sharing a server.</summary>
    public Spread Spread { get; init; } = Spread.Server;

    /// <summary>Labels a server must carry with exactly these values.</summary>
    public IReadOnlyDictionary<string, string>? Constraints { get; init; }

    /// <summary>Candidates listed for each region, 1 to 100.</summary>
    public int Best { get; init; } = 20;

    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyList<string>? ChosenRegions => Region is not null ? [Region] : Regions is { Count: > 0 } ? [.. Regions.Distinct()] : null;

    public Dictionary<string, string[]> Check(IReadOnlyList<string> known)
    {
        var errors = new Dictionary<string, string[]>();
        if (CpuMillis is < 1 or > 1_000_000) errors["cpuMillis"] = [$"must be 1 to 1000000 thousandths of a core, not {CpuMillis}."];
        if (MemoryMiB is < 4 or > 16_777_216) errors["memoryMiB"] = [$"must be 4 to 16777216 MiB, not {MemoryMiB}."];
        if (Best is < 1 or > 100) errors["best"] = [$"must be 1 to 100, not {Best}."];
        if (App is not null && !DnsLabel.IsValid(App)) errors["app"] = [DnsLabel.Rule];
        if (Region is not null && Regions is { Count: > 0 }) errors["regions"] = ["can not be given together with region."];
        else if (ChosenRegions?.FirstOrDefault(name => !known.Contains(name)) is not null)
            errors[Region is null ? "regions" : "region"] = [$"must be among the regions there are: {string.Join(", ", known)}."];
        CheckConstraints(errors);
        return errors;
    }

    // Each is compared with every server's labels while the region's matching waits.
    private void CheckConstraints(Dictionary<string, string[]> errors)
    {
        if (Constraints is not { } labels) return;
        if (labels.Count > 32) errors["constraints"] = [$"must have at most 32 entries, not {labels.Count}."];
        else if (labels.Any(label => label.Key.Length is 0 or > 256 || label.Value.Length > 256))
            errors["constraints"] = ["must have keys of 1 to 256 characters and values of at most 256."];
    }

    public PlacementRequest ToPlacement() => new()
    {
        App = App ?? "", Revision = 0, Demand = new(CpuMillis, MemoryMiB), Spread = Spread, Constraints = Constraints,
    };
}
