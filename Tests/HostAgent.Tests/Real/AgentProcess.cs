using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>The real agent as a process of its own, on a state directory of its own.</summary>
public sealed class AgentProcess : IAsyncDisposable
{
    private static readonly string Binary = typeof(AgentProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(one => one.Key == "Agent").Value!;
    private readonly StringBuilder _output = new();
    private Process? _process;

    public AgentProcess(object agent, string directory)
    {
        Directory.CreateDirectory(directory);
        ConfigFile = Path.Combine(directory, "agent.json");
        Configure(agent);
    }

    public string ConfigFile { get; }

    /// <summary>Where it tells its service manager that it is ready; null: nowhere.</summary>
    public string? NotifySocket { get; init; }

    public int Id => _process!.Id;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Writes its configuration, as an operator does while it runs.</summary>
    public void Configure(object agent) => File.WriteAllText(ConfigFile, JsonSerializer.Serialize(new { Agent = agent }));

    /// <summary>SIGHUP: it reads its configuration again at once.</summary>
    public void Reload() => Process.Start("kill", ["-HUP", $"{_process!.Id}"]).Dispose();

    public void Start() => _process = Launch("run");

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM, as an operator does.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15));
        return _process.ExitCode;
    }

    public async Task<int> CommandAsync(params string[] arguments)
    {
        using var process = Launch(arguments);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await StopAsync();
        _process?.Dispose();
    }

    private Process Launch(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Binary, .. arguments, "--config", ConfigFile])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        if (NotifySocket is not null)
            start.Environment["NOTIFY_SOCKET"] = NotifySocket;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Keep(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }
}
