namespace Hosting.Cli;

/// <summary>Where a command reads and writes, and how it may write there.</summary>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    /// <summary>Whether results go to a person's terminal that shows colours, rather than to a pipe or a file.</summary>
    public bool Rich { get; init; }

    /// <summary>Whether progress may be shown by writing over a line of the standard error.</summary>
    public bool Rewritable { get; init; }

    /// <summary>Environment variables by name; null when not set.</summary>
    public Func<string, string?> Environment { get; init; } = _ => null;

    /// <summary>The streams of this process. NO_COLOR makes the output as plain as in a pipe.</summary>
    public static Terminal OfProcess()
    {
        var dumb = !string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable("NO_COLOR"))
            || System.Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        return new(Console.In, Console.Out, Console.Error)
        {
            Rich = !Console.IsOutputRedirected && !dumb,
            Rewritable = !Console.IsErrorRedirected && !dumb,
            Environment = System.Environment.GetEnvironmentVariable,
        };
    }
}
