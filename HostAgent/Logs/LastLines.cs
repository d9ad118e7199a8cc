using System.Text;
using Docker.DotNet;

namespace Hosting.HostAgent.Logs;

/// <summary>What a process wrote last: often the reason of its end.</summary>
internal static class LastLines
{
    private const int Lines = 3;
    private const int Characters = 300;
    private const string Between = " | ";
    private const string Left = "…";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    /// <summary>An engine notes a start once it is done; what the process wrote until then is older.</summary>
    private static readonly TimeSpan BeforeStart = TimeSpan.FromMilliseconds(500);

    /// <summary>Its last lines in one; null when there are none, or the engine does not give them soon.</summary>
    /// <param name="log">The container's log.</param>
    /// <param name="startedAt">When the process started; what ran before it does not count.</param>
    /// <param name="cancellation">The VM is gone.</param>
    public static async Task<string?> ReadAsync(EngineLog log, DateTimeOffset? startedAt, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        try
        {
            return Join(await log.NewestAsync(startedAt - BeforeStart, Lines, deadline.Token));
        }
        catch (Exception error) when (error is DockerApiException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            // A reason without its details is better than none.
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>The newest of them, as many characters as are shown; control characters are left out.</summary>
    public static string? Join(IReadOnlyList<string> lines)
    {
        var joined = string.Join(Between, lines.Select(Printable).Where(line => line.Length > 0));
        if (joined.Length == 0)
            return null;
        return joined.Length <= Characters ? joined : Left + joined[^(Characters - Left.Length)..];
    }

    private static string Printable(string line)
    {
        var text = new StringBuilder(line.Length);
        foreach (var character in line)
            text.Append(char.IsControl(character) ? ' ' : character);
        return text.ToString().Trim();
    }
}
