using Hosting.HostAgent;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Utilization;
using Hosting.Protocol;
using Microsoft.Extensions.Hosting.Systemd;

const int Failed = 1;
const int WrongUsage = 2;

if (CommandLine.Parse(args) is not { } line)
{
    Console.Error.WriteLine(CommandLine.Usage);
    return WrongUsage;
}

IConfigurationRoot configuration;
try
{
    configuration = line.Configuration();
}
catch (Exception error) when (error is IOException or FormatException or InvalidDataException)
{
    Console.Error.WriteLine($"The configuration cannot be read: {error.InnerException?.Message ?? error.Message}");
    return WrongUsage;
}

var (settings, errors) = AgentSettingsFactory.Read(configuration, Capacity.OfMachine());
if (settings is null)
{
    Console.Error.WriteLine($"The configuration has {errors.Count} error(s):");
    foreach (var error in errors)
        Console.Error.WriteLine($"  {error}");
    return WrongUsage;
}

if (Environment.UserName != "root" && !settings.Vms.All(vm => vm.Driver == VmDriverKind.Engine))
{
    Console.Error.WriteLine("VMs on this server need root: run the agent as root.");
    return Failed;
}

using var logs = LoggerFactory.Create(logging =>
{
    logging.AddConfiguration(configuration.GetSection("Logging"));
    if (SystemdHelpers.IsSystemdService())
        logging.AddSystemdConsole();
    else
        logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
});
using var stop = new StopSignals();
var time = new SteadyClock();
var changes = new SettingsWatch(line, configuration, Capacity.OfMachine(), time, logs.CreateLogger("Configuration"));
var agent = new Agent(settings, changes, logs, time);
try
{
    await (line.Command == AgentCommand.Run
        ? agent.RunAsync(stop.Token)
        : agent.TakeDownAsync(purge: line.Command == AgentCommand.Purge, stop.Token));
    return 0;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    if (settings.PidFile is { } pidFile)
        File.Delete(pidFile);
    return line.Command == AgentCommand.Run ? 0 : Failed;
}
catch (Exception error)
{
    logs.CreateLogger("Agent").LogCritical("The agent ends: {Reason}", error is Hosting.HostAgent.Vms.VmException ? error.Message : error.ToString());
    return Failed;
}
