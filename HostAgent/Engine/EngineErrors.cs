using System.Net;
using System.Text.Json;
using Docker.DotNet;

namespace Hosting.HostAgent.Engine;

/// <summary>What an engine means by an error.</summary>
internal static class EngineErrors
{
    private const int MaxReason = 500;

    /// <summary>The outcome and the engine's own words.</summary>
    public static EngineResult Read(DockerApiException error)
    {
        var reason = Message(error.ResponseBody);
        return new EngineResult(Outcome(error.StatusCode, reason), reason);
    }

    /// <summary>A reason short enough to be stored and shown.</summary>
    public static string Shorten(string reason) => reason.Length <= MaxReason ? reason : reason[..MaxReason];

    private static EngineOutcome Outcome(HttpStatusCode status, string reason) => status switch
    {
        // 304: it is so already. 409 on removal: another removal is under way, and the next look will tell.
        HttpStatusCode.NotModified => EngineOutcome.Done,
        HttpStatusCode.NotFound when Says(reason, "no such image") => EngineOutcome.NoSuchImage,
        HttpStatusCode.NotFound when Says(reason, "no such container") => EngineOutcome.NoSuchContainer,
        _ when Says(reason, "port is already allocated") || Says(reason, "address already in use") => EngineOutcome.PortTaken,
        _ => EngineOutcome.Refused,
    };

    private static bool Says(string reason, string words) => reason.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static string Message(string? body)
    {
        try
        {
            using var json = JsonDocument.Parse(body ?? "");
            return Shorten(json.RootElement.GetProperty("message").GetString()!.Trim());
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return Shorten(string.IsNullOrWhiteSpace(body) ? "the engine gave no reason" : body.Trim());
        }
    }
}
