using Hosting.Placement;

namespace Hosting.Silo.Api.Logs;

/// <summary>/v1/apps/{name}/logs: what the containers of an app write.</summary>
internal static class LogEndpoints
{
    /// <summary>Answers being put together at once: each may take some megabytes.</summary>
    private static readonly SemaphoreSlim Answers = new(16);

    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/apps/{name}/logs", Get).WithTags("apps").WithName("ListAppLogs")
            .WithSummary("What the containers of an app write, merged by time, newest last; with follow=true a stream of server-sent events.")
            .WithDescription(
                $"tail: only the newest so many lines, 0 to {LogQuery.MostTail} ({LogQuery.DefaultTail}; with since {LogQuery.MostTail}). since: a time, or how long ago (30s, 10m, "
                + "2h, 1d). container: only this one. 'Accept: text/plain' answers lines instead of JSON. A stream follows containers as they appear; it goes on without gaps or "
                + "doubles after the id in the header Last-Event-ID; events named note and end are about the stream. A container's log goes when the container is stopped.")
            .Produces<LogLineView[]>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<IResult> Get(
        string name, HttpContext http, LogSources sources, LogHistory history, LogFollower follower, TimeProvider time, CancellationToken cancel,
        int? tail = null, string? since = null, string? container = null, bool follow = false)
    {
        var (query, problem) = LogQuery.Parse(tail, since, time.GetUtcNow());
        if (problem is not null) return problem;
        if (!DnsLabel.IsValid(name)) return Problems.NoSuchApp(name);
        var last = follow ? http.Request.Headers["Last-Event-ID"].ToString() : "";
        var resume = last.Length == 0 ? null : LogCursor.Parse(name, last);
        if (last.Length > 0 && resume is null) return Problems.Invalid("Last-Event-ID", "must be the id of a line of this app's logs.");

        var containers = await sources.Live(name, container, cancel);
        if (containers.Known.Count == 0 && await Missing(name, container, sources, cancel) is { } missing) return missing;
        if (containers.Known.Count > LogSources.MostContainers && !follow)
            return Problems.Invalid("container", $"must be given: the app has more than {LogSources.MostContainers} containers. GET /v1/apps/{name}/containers lists them.");
        var request = new LogRequest(name, container, query!, containers with { Known = [.. containers.Known.Take(LogSources.MostContainers)] }, resume);
        return follow ? follower.Follow(request) : await Answer(request, http, sources, history, cancel);
    }

    /// <summary>Why there is nothing to read; null when there just is no container now.</summary>
    private static async Task<IResult?> Missing(string name, string? container, LogSources sources, CancellationToken cancel)
    {
        var over = container is null ? null : await sources.Find(name, container, cancel);
        if (over is not null) return Problems.ContainerIsOver(over);
        if (!await sources.Exists(name, cancel)) return Problems.NoSuchApp(name);
        return container is null ? null : Problems.Invalid("container", NotOf(name, (await sources.Live(name, null, cancel)).Known));
    }

    private static string NotOf(string name, IReadOnlyList<ContainerRecord> containers) =>
        $"is not a container of the app '{name}'. " + (containers.Count == 0
            ? "It has none now."
            : $"It has {string.Join(", ", containers.Take(10).Select(c => c.Id))}{(containers.Count > 10 ? " and others" : "")}.");

    private static async Task<IResult> Answer(LogRequest request, HttpContext http, LogSources sources, LogHistory history, CancellationToken cancel)
    {
        if (!await Answers.WaitAsync(Deadlines.Call, cancel))
        {
            http.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
            return Problems.Unavailable("This silo puts together many logs already.");
        }
        var logs = request.Containers.Known.Select(container => sources.Open(container, request.Query.From)).ToList();
        try
        {
            var (lines, missing) = await history.Read(logs, request.Query.Tail, cancel);
            RegionQueries.NoteMissing(http.Response, request.Containers.Missing);
            if (missing is not null) http.Response.Headers.Append(RegionQueries.IncompleteHeader, Plain(missing));
            var views = lines.Select(LogLineView.Of);
            return WantsText(http.Request)
                ? TypedResults.Text(string.Concat(views.Select(view => view.ToText())))
                : TypedResults.Ok(views.ToArray());
        }
        finally
        {
            logs.ForEach(log => log.Close());
            Answers.Release();
        }
    }

    // An engine's words may hold what a header may not.
    private static string Plain(string text) => string.Concat(text.Take(1_000).Select(c => c is >= ' ' and <= '~' ? c : ' '));

    private static bool WantsText(HttpRequest request) =>
        request.Headers.Accept.ToString() is var accept && accept.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase);
}
