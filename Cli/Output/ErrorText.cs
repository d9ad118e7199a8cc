using Hosting.Cli.Api;

namespace Hosting.Cli.Output;

/// <summary>Errors on the standard error: what is wrong, then why and what to do.</summary>
internal static class ErrorText
{
    public static void Write(Terminal terminal, string message) => terminal.Error.WriteLine($"error: {Cell.Clean(message)}");

    /// <summary>Title, then either each field with its message, or the detail.</summary>
    public static void Write(Terminal terminal, Problem problem)
    {
        Write(terminal, problem.Title ?? $"the API answered {problem.Status}");
        if (problem.Errors is { Count: > 0 } fields)
            foreach (var (field, messages) in fields)
                foreach (var message in messages)
                    terminal.Error.WriteLine($"  {Cell.Clean(field)}: {Cell.Clean(message)}");
        else if (problem.Detail is not null)
            terminal.Error.WriteLine($"  {Cell.Clean(problem.Detail)}");
    }
}
