using System.CommandLine;
using System.CommandLine.Invocation;
using Hosting.Cli.Commands;
using Hosting.Cli.Output;

namespace Hosting.Cli;

/// <summary>The command <c>hosting</c>.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command and returns the exit code of the process.</summary>
    public static async Task<int> Run(IReadOnlyList<string> args, Terminal terminal, TimeProvider time)
    {
        var shell = new Shell(terminal, time);
        var parsed = Create(shell).Parse(args);
        if (parsed.Action is ParseErrorAction) return Refuse(parsed, terminal);
        return await parsed.InvokeAsync(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false });
    }

    private static int Refuse(ParseResult parsed, Terminal terminal)
    {
        foreach (var error in parsed.Errors) ErrorText.Write(terminal, error.Message);
        var command = parsed.CommandResult.Command;
        terminal.Error.WriteLine($"See: hosting {(command is RootCommand ? "" : command.Name + " ")}--help");
        return ExitCode.WrongUsage;
    }

    private static RootCommand Create(Shell shell)
    {
        var root = new RootCommand("Runs containers in the idle part of servers: deploy apps, look at them, and operate the pool.")
        {
            DeployCommand.Create(shell),
            AppCommands.List(shell),
            AppCommands.Status(shell),
            AppCommands.Scale(shell),
            RollbackCommands.Rollback(shell),
            RollbackCommands.Revisions(shell),
            AppCommands.Delete(shell),
            LogsCommand.Create(shell),
            PoolCommands.Containers(shell),
            PoolCommands.Servers(shell),
            PoolCommands.Vms(shell),
            PoolCommands.Regions(shell),
            EventsCommand.Create(shell),
            CordonCommands.Cordon(shell),
            CordonCommands.Uncordon(shell),
            CordonCommands.Drain(shell),
            PolicyCommand.Create(shell),
            ThresholdsCommand.Create(shell),
            ExplainCommand.Create(shell),
        };
        root.Options.Add(shell.Api);
        root.Options.Add(shell.Output);
        Examples.AddTo(root);
        return root;
    }
}
