using System.Globalization;
using System.Text.Json;

namespace Hosting.Gateway.Proxy;

/// <summary>An error answer of the gateway's own, as RFC 9457 problem details.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">What kind of problem it is, the same for every occurrence.</param>
/// <param name="Detail">What happened and what to do.</param>
/// <param name="RetryAfterSeconds">When it is worth trying again; 0 when it is not.</param>
internal readonly record struct Problem(int Status, string Title, string Detail, int RetryAfterSeconds = 0)
{
    public static Problem BadHost { get; } = new(
        400, "Not a host name", "The Host header is missing or is not a host name. Ask by the host name of an app or of the API.");

    public static Problem Busy { get; } = new(
        503, "Too many unknown host names", "Many host names are being looked up right now. Try again in a second.", 1);

    public static Problem NoControlPlane { get; } = new(
        503, "Control plane unavailable", "This host name is not known here yet and the control plane does not answer. Try again in a few seconds.", 3);

    public static Problem NoApi { get; } = new(
        503, "API unavailable", "No silo of the control plane answers. Apps that run go on being served. Try again in a few seconds.", 3);

    public static Problem Defect { get; } = new(
        500, "Gateway failure", "The gateway could not handle the request; its log says why.");

    public static Problem NotFound(string host) => new(
        404, "No such app", $"No app has the host name {host}. Check the name; an app that was deployed just now is found within seconds.");

    public static Problem NoContainer(string app) => new(
        503, "No healthy container", $"App {app} exists, but has no healthy container right now. Its status says why: GET /v1/apps/{app}.", 2);

    public static Problem Full(string app) => new(
        503, "Too many requests wait", $"App {app} has no container that answers, and too many requests wait for one already.", 2);

    public static Problem Unreachable(string app) => new(
        503, "No container answers", $"No container of app {app} accepted a connection. It is being replaced or restarted; try again in a few seconds.", 2);

    public static Problem Broken(string app, int status) => status switch
    {
        504 => new(504, "Container too slow", $"A container of app {app} took longer than 100 s without sending anything.", 1),
        >= 500 => new(502, "Container broke off", $"A container of app {app} closed the connection, or sent no valid HTTP, before it answered. The request may have been carried out.", 1),
        _ => new(status, "Request incomplete", "The request's body could not be read to its end."),
    };

    /// <summary>Answers with it.</summary>
    public async Task Write(HttpContext context)
    {
        context.Response.Clear();
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/problem+json";
        context.Response.Headers.CacheControl = "no-store";
        if (RetryAfterSeconds > 0)
            context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        RouteTaken.Tell(context);
        var body = Serialize();
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private byte[] Serialize()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", Title);
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }
}
