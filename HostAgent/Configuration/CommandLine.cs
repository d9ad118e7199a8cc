namespace Hosting.HostAgent.Configuration;

/// <summary>What the agent was asked to do.</summary>
internal enum AgentCommand
{
    Run,
    PowerOff,
    Purge,
}

/// <summary>The command line: an optional command, <c>--config FILE</c>, and settings as <c>--Agent:Server=srv-1</c>.</summary>
internal sealed record CommandLine(AgentCommand Command, string? ConfigFile, IReadOnlyList<string> Settings)
{
    public const string Usage =
        """
        Usage: HostAgent [run|power-off|purge] [--config FILE.json] [--Agent:KEY=VALUE ...]
          run        (default) keep the containers of this server's VMs as the control plane wants them
          power-off  stop every VM of this agent and remove what it made on the machine; data stays
          purge      power-off, and remove images, containers and state too
        """;

    /// <summary>Null when the line cannot be understood.</summary>
    public static CommandLine? Parse(IReadOnlyList<string> args)
    {
        var command = AgentCommand.Run;
        var first = 0;
        if (args.Count > 0 && !args[0].StartsWith('-'))
        {
            if (!TryCommand(args[0], out command))
                return null;
            first = 1;
        }

        string? config = null;
        var settings = new List<string>();
        for (var i = first; i < args.Count; i++)
        {
            if (args[i] == "--config")
            {
                if (++i == args.Count)
                    return null;
                config = args[i];
            }
            else if (args[i].StartsWith("--config=", StringComparison.Ordinal))
                config = args[i]["--config=".Length..];
            else
                settings.Add(args[i]);
        }

        return new CommandLine(command, config, settings);
    }

    /// <summary>Later sources win: appsettings.json, the file, environment, command line.</summary>
    public IConfigurationRoot Configuration()
    {
        var builder = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true, reloadOnChange: false);
        if (ConfigFile is not null)
            builder.AddJsonFile(Path.GetFullPath(ConfigFile), optional: false, reloadOnChange: false);
        return builder.AddEnvironmentVariables().AddCommandLine([.. Settings]).Build();
    }

    private static bool TryCommand(string word, out AgentCommand command)
    {
        command = word switch { "power-off" => AgentCommand.PowerOff, "purge" => AgentCommand.Purge, _ => AgentCommand.Run };
        return word is "run" or "power-off" or "purge";
    }
}
