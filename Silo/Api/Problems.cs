using Hosting.Placement;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Hosting.Silo.Api;

/// <summary>Every refusal of the API, as RFC 9457 problem details whose <c>detail</c> says what to do.</summary>
internal static class Problems
{
    /// <summary>Seconds after which a client may try again when the platform could not answer.</summary>
    public const int RetryAfterSeconds = 2;

    /// <summary>400: the request names these fields wrongly.</summary>
    public static ProblemHttpResult Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        WithErrors(StatusCodes.Status400BadRequest, "The request is not valid", errors);

    /// <summary>400: one field is wrong.</summary>
    public static ProblemHttpResult Invalid(string field, string message) =>
        Invalid(new Dictionary<string, string[]> { [field] = [message] });

    /// <summary>409: it contradicts what exists.</summary>
    public static ProblemHttpResult Conflict(IReadOnlyDictionary<string, string[]> errors) =>
        WithErrors(StatusCodes.Status409Conflict, "The request contradicts what exists", errors);

    /// <summary>404.</summary>
    public static ProblemHttpResult NotFound(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status404NotFound, title: "Not found");

    public static ProblemHttpResult NoSuchApp(string name) => NotFound(
        $"There is no app '{Shown(name)}'. GET /v1/apps lists the apps; PUT /v1/apps/{{name}} creates one.");

    public static ProblemHttpResult NoSuchRegion(string region, IReadOnlyList<string> regions) => NotFound(
        regions.Count == 0
            ? "There is no region yet: a region appears when a silo that serves it has started."
            : $"There is no region '{Shown(region)}'. The regions are {string.Join(", ", regions)}.");

    public static ProblemHttpResult NoSuchServer(string id) => NotFound(
        $"There is no server '{Shown(id)}'. GET /v1/servers lists them; a server appears when its agent connects.");

    public static ProblemHttpResult NoSuchVm(string id) => NotFound(
        $"There is no VM '{Shown(id)}'. GET /v1/vms lists them; a VM comes with its server's agent.");

    public static ProblemHttpResult ContainerIsOver(ContainerRecord over) => NotFound(
        $"The container '{over.Id}' is over ({over.State}{(over.Reason is { } reason ? $": {reason}" : "")}), and its log went with it. "
        + $"GET /v1/apps/{over.App}/events says what happened to it.");

    /// <summary>413.</summary>
    public static ProblemHttpResult TooLarge(int limitBytes) => TypedResults.Problem(
        $"The body is over {limitBytes / 1024} KiB. Put large configuration into the image, or on a URL that the app reads.",
        statusCode: StatusCodes.Status413PayloadTooLarge, title: "The body is too large");

    /// <summary>415.</summary>
    public static ProblemHttpResult NotJson(string? contentType) => TypedResults.Problem(
        $"The content type is '{Shown(contentType ?? "")}'; send 'Content-Type: application/json'.",
        statusCode: StatusCodes.Status415UnsupportedMediaType, title: "Unsupported content type");

    /// <summary>503, to be sent with <c>Retry-After</c>.</summary>
    public static ProblemHttpResult Unavailable(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status503ServiceUnavailable, title: "The platform can not answer now");

    /// <summary>503, to be sent with <c>Retry-After</c>: more requests than it can work on.</summary>
    public static ProblemHttpResult Overloaded() => TypedResults.Problem(
        $"This silo works on {Limits.MostAtOnce} requests and has {Limits.MostWaiting} more waiting. Nothing was done. Repeat the request a little later.",
        statusCode: StatusCodes.Status503ServiceUnavailable, title: "Too many requests at once");

    /// <summary>500: a fault of ours, whose details are in the log only.</summary>
    public static ProblemHttpResult Fault(string traceId) => TypedResults.Problem(
        $"The fault is ours. The log of the silo has the details under '{traceId}'.",
        statusCode: StatusCodes.Status500InternalServerError, title: "Internal error");

    /// <summary>For answers that have a status and no body: unknown paths, wrong methods.</summary>
    public static ProblemHttpResult ForStatus(HttpContext http) => TypedResults.Problem(
        http.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"There is nothing at {Shown(http.Request.Path)}. GET /openapi/v1.json lists every path.",
            StatusCodes.Status405MethodNotAllowed => $"{http.Request.Method} is not possible here. Possible: {http.Response.Headers.Allow}.",
            StatusCodes.Status415UnsupportedMediaType => "Send 'Content-Type: application/json'.",
            _ => null,
        },
        statusCode: http.Response.StatusCode);

    private static ProblemHttpResult WithErrors(int status, string title, IReadOnlyDictionary<string, string[]> errors) =>
        TypedResults.Problem(new HttpValidationProblemDetails(errors.ToDictionary(e => e.Key, e => e.Value))
        {
            Status = status,
            Title = title,
            Detail = string.Join(" ", errors.SelectMany(e => e.Value.Select(message => $"{e.Key}: {message.TrimEnd('.')}."))),
        });

    /// <summary>User input, short enough to be repeated in an answer.</summary>
    private static string Shown(string? text) => text is null ? "" : text.Length <= 80 ? text : text[..80] + "…";
}
