using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hosting.Cli.Output;

/// <summary>JSON for programs, laid out for people; values stay as the API wrote them.</summary>
internal static class JsonText
{
    public static string Indented(string json)
    {
        using var document = JsonDocument.Parse(json);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            document.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
