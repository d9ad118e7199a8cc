namespace Hosting.Silo.Api;

/// <summary>/healthz and /readyz, for whoever starts and watches the silo.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(2);

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => TypedResults.Text("ok\n")).WithTags("health").WithName("Healthz")
            .WithSummary("Whether the process answers.").Produces<string>(contentType: "text/plain");
        app.MapGet("/readyz", Ready).WithTags("health").WithName("Readyz")
            .WithSummary("Whether the silo can answer requests: it is a member of the cluster and reads what it needs.")
            .Produces<string>(contentType: "text/plain").ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> Ready(RegionQueries regions, IHostApplicationLifetime process, CancellationToken cancel)
    {
        if (process.ApplicationStopping.IsCancellationRequested) return Problems.Unavailable("Not ready: it was told to stop.");
        try
        {
            await regions.Names(cancel).WaitAsync(ReadyWithin, cancel);
            return TypedResults.Text("ready\n");
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            return Problems.Unavailable($"Not ready: {e.Message}");
        }
    }
}
