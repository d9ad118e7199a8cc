namespace Hosting.Cli.Output;

/// <summary>What is going on while a command waits: one line that is written over, or in a log a line for each change.</summary>
internal sealed class Progress(Terminal terminal) : IDisposable
{
    private const int Widest = 110;

    private string _shown = "";

    public void Show(string now)
    {
        if (now == _shown) return;
        _shown = now;
        if (terminal.Rewritable) terminal.Error.Write($"\r\u001b[K{(now.Length <= Widest ? now : now[..Widest] + "…")}");
        else terminal.Error.WriteLine(now);
    }

    /// <summary>Takes the line away: the result follows.</summary>
    public void Dispose()
    {
        if (terminal.Rewritable && _shown.Length > 0) terminal.Error.Write("\r\u001b[K");
    }
}
