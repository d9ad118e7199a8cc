using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Utilization;
using Microsoft.Extensions.Logging;

namespace Hosting.HostAgent.Tests.Configuration;

/// <summary>What becomes of a configuration that an operator changed.</summary>
public sealed class SettingsWatchTests : IDisposable, ILogger
{
    private const string Base = "\"Region\": \"eu-1\", \"Server\": \"srv-1\", \"Hubs\": [\"http://127.0.0.1:1\"], \"StateDirectory\": \"/var/lib/hosting\"";
    private readonly string _file = Path.GetTempFileName();
    private readonly List<string> _said = [];

    [Fact]
    public void More_vms_are_taken()
    {
        var watch = Watch("\"VmCount\": 1");
        Write("\"VmCount\": 3");
        Assert.Equal(["vm-1", "vm-2", "vm-3"], watch.Read()!.Vms.Select(vm => vm.Name));
        Assert.Contains("VMs vm-1 (1333 m CPU", Assert.Single(_said));
        Assert.Null(watch.Read());
    }

    [Theory]
    [InlineData("\"VmCount\": 65", "Agent:VmCount must be 0 to 64; it is 65.")]
    [InlineData("\"VmCount\": ", "Could not parse the JSON file")]
    [InlineData("\"Vmcont\": 2", "Agent:Vmcont is not a setting")]
    [InlineData("\"VmCount\": 3, \"Share\": { \"CpuMillis\": 1000, \"MemoryMiB\": 1024 }", "Agent:Share takes another start")]
    public void One_with_errors_changes_nothing_and_says_what_to_correct(string changed, string correct)
    {
        var watch = Watch("\"VmCount\": 2");
        Write(changed);
        Assert.Null(watch.Read());
        Assert.StartsWith("The changed configuration is not taken, what held before goes on. Correct it: ", Assert.Single(_said));
        Assert.Contains(correct, _said[0]);
        Write("\"VmCount\": 1");
        Assert.Single(watch.Read()!.Vms);
    }

    [Fact]
    public void A_file_that_is_gone_changes_nothing()
    {
        var watch = Watch("\"VmCount\": 2");
        File.Delete(_file);
        Assert.Null(watch.Read());
        Assert.Contains(_file, Assert.Single(_said));
    }

    [Fact]
    public void What_only_a_start_takes_is_said_and_the_rest_is_taken()
    {
        var watch = Watch("\"VmCount\": 2");
        Write("\"VmCount\": 1, \"LastResortMemory\": 0.9, \"Labels\": {\"disk\": \"ssd\"}");
        Assert.Single(watch.Read()!.Vms);
        Assert.Contains("Agent:Labels:disk, Agent:LastResortMemory changed in the configuration: restart the agent for it", _said[0]);
    }

    public void Dispose() => File.Delete(_file);

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _said.Add(formatter(state, exception));

    private SettingsWatch Watch(string settings)
    {
        Write(settings);
        var line = new CommandLine(AgentCommand.Run, _file, []);
        return new SettingsWatch(line, line.Configuration(), new Capacity(4000, 8192), TimeProvider.System, this);
    }

    private void Write(string settings) => File.WriteAllText(_file, $"{{\"Agent\": {{ {Base}, {settings} }} }}");
}
