namespace Hosting.HostAgent.Logs;

/// <summary>What logs may cost the server: its primary application comes first.</summary>
internal static class LogLimits
{
    /// <summary>Readers at once on one agent. Each holds a connection to an engine and at most the lines of one answer.</summary>
    public const int Readers = 32;

    /// <summary>Requests being answered at once, on one agent.</summary>
    public const int Requests = 64;

    /// <summary>Bytes of a line that are kept; the rest is left out, with a note.</summary>
    public const int LineBytes = 8 * 1024;

    /// <summary>Lines of one answer.</summary>
    public const int AnswerLines = 512;

    /// <summary>Characters of one answer, after which no further line is added.</summary>
    public const int AnswerCharacters = 64 * 1024;

    /// <summary>The longest tail that can be asked for.</summary>
    public const int MostTail = 10_000;

    /// <summary>Characters of logs that the agent sends in a second, to all readers together.</summary>
    public const int CharactersPerSecond = 2 * 1024 * 1024;

    /// <summary>A reader that is asked nothing for so long is closed.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromSeconds(15);

    /// <summary>The longest that an answer waits for a line.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Lines of the two streams are stamped before they are ordered, so a later line may carry an earlier time, by far less
    /// than this. Reading begins so much earlier than the place asked for.
    /// </summary>
    public static readonly TimeSpan Disorder = TimeSpan.FromSeconds(1);
}
