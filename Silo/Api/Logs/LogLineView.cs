using System.Globalization;

namespace Hosting.Silo.Api.Logs;

/// <summary>A line of a container's log.</summary>
/// <param name="Container">Id of the container.</param>
/// <param name="At">When it was written, by its server's clock.</param>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="Text">Without its line end; at most 8 KiB, what is longer is cut and says so.</param>
internal sealed record LogLineView(string Container, DateTimeOffset At, string Stream, string Text)
{
    public static LogLineView Of(AppLine line) => new(
        line.Container, DateTimeOffset.UnixEpoch.AddTicks(line.Line.Position.At / TimeSpan.NanosecondsPerTick),
        line.Line.Error ? "stderr" : "stdout", line.Line.Text);

    /// <summary>For people and <c>grep</c>.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {Container} {Text}\n");
}
