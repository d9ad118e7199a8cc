using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hosting.Silo.Api;

/// <summary>How the API writes and reads JSON.</summary>
internal static class ApiJson
{
    /// <summary>Deeper bodies are refused; the deepest valid one has four levels.</summary>
    public const int MaxDepth = 8;

    /// <summary>For requests: what is not understood is refused rather than ignored.</summary>
    public static JsonSerializerOptions Strict { get; } = CreateStrict();

    /// <summary>For the events of a stream, each of which is one line.</summary>
    public static JsonSerializerOptions OneLine { get; } = CreateOneLine();

    /// <summary>For responses, and for the schemas of the OpenAPI document.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.RespectNullableAnnotations = true;
        // Answers are read by people too; they are never pasted into HTML.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
    }

    private static JsonSerializerOptions CreateOneLine()
    {
        var options = new JsonSerializerOptions();
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    private static JsonSerializerOptions CreateStrict()
    {
        var options = new JsonSerializerOptions
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectRequiredConstructorParameters = true,
            MaxDepth = MaxDepth,
        };
        Configure(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
