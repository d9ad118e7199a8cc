using System.Buffers;
using System.Text.Json;

namespace Hosting.Silo.Api;

/// <summary>A request's JSON body: either its value, or the problem to answer with.</summary>
internal readonly record struct RequestBody<T>(T? Value, IResult? Problem)
    where T : class;

/// <summary>Reads JSON bodies strictly and says everything that is wrong at once.</summary>
internal static class RequestBody
{
    /// <summary>Largest body that is read.</summary>
    public const int LimitBytes = 64 * 1024;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = ApiJson.MaxDepth, AllowDuplicateProperties = false };

    /// <summary>Reads a body of the shape of <typeparamref name="T"/>.</summary>
    public static async Task<RequestBody<T>> Read<T>(HttpRequest request, CancellationToken cancel)
        where T : class
    {
        if (!request.HasJsonContentType()) return new(null, Problems.NotJson(request.ContentType));
        var buffer = ArrayPool<byte>.Shared.Rent(LimitBytes + 1);
        try
        {
            var length = await Fill(request, buffer, cancel);
            return length > LimitBytes ? new(null, Problems.TooLarge(LimitBytes)) : Parse<T>(buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<int> Fill(HttpRequest request, byte[] buffer, CancellationToken cancel) =>
        request.ContentLength > LimitBytes
            ? LimitBytes + 1
            : await request.Body.ReadAtLeastAsync(buffer.AsMemory(0, LimitBytes + 1), LimitBytes + 1, throwOnEndOfStream: false, cancel);

    private static RequestBody<T> Parse<T>(ReadOnlyMemory<byte> json)
        where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(json, Reading);
            var errors = JsonShape.Check(document.RootElement, typeof(T));
            return errors.Count > 0
                ? new(null, Problems.Invalid(errors))
                : new(document.RootElement.Deserialize<T>(ApiJson.Strict), null);
        }
        catch (JsonException e)
        {
            return new(null, Problems.Invalid("$", Explain(e, json.Length)));
        }
    }

    private static string Explain(JsonException e, int length)
    {
        if (length == 0) return "the body is empty; send a JSON object.";
        var where = e.LineNumber is { } line ? $" at line {line + 1}, byte {e.BytePositionInLine + 1}" : "";
        return e.Message.Contains("uplicate", StringComparison.Ordinal)
            ? "a field is given twice; give each field once."
            : $"the body is not valid JSON{where} (comments, trailing commas and more than {ApiJson.MaxDepth} levels are not allowed).";
    }
}
