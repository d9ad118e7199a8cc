namespace Hosting.Cli;

/// <summary>Ends a command with a message for its user.</summary>
internal class CommandException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    /// <summary>See <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;

    public static CommandException Usage(string message) => new(message, Cli.ExitCode.WrongUsage);
}

/// <summary>The API was not reached, or said nothing in time: a later call may succeed.</summary>
internal sealed class NoAnswerException(string message) : CommandException(message);
