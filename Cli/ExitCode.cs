namespace Hosting.Cli;

/// <summary>What the process says to scripts.</summary>
internal static class ExitCode
{
    /// <summary>What was asked for is done.</summary>
    public const int Done = 0;

    /// <summary>It could not be done.</summary>
    public const int Failed = 1;

    /// <summary>It was asked for wrongly: repeating it cannot help.</summary>
    public const int WrongUsage = 2;
}
