using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Hosting.Support;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>A gateway beside that of the stack: the same launch script with another name, port and state.</summary>
internal sealed partial class SecondGateway(Stack stack) : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private Process? _process;

    public int Port { get; } = Ports.Free();

    public async Task Start()
    {
        var script = await File.ReadAllTextAsync(Path.Combine(stack.Home, "config", "gateway-1.launch"));
        script = Setting().Replace(script, match => match.Groups["key"].Value switch
        {
            "Port" => $"{match.Groups["export"].Value}{Port.ToString(CultureInfo.InvariantCulture)}",
            "AdminPort" => $"{match.Groups["export"].Value}0",
            _ => $"{match.Groups["export"].Value}{match.Groups["value"].Value.Replace("gateway-1", "gateway-2")}",
        });
        var file = Path.Combine(stack.Home, "gateway-2.launch");
        await File.WriteAllTextAsync(file, script);
        _process = Process.Start("bash", ["-c", $"exec bash {file} >>{stack.Home}/log/gateway-2.log 2>&1"]);
        await Stack.Eventually(async () =>
        {
            using var http = new HttpClient();
            using var answer = await http.GetAsync($"http://127.0.0.1:{Port}/v1/regions");
            return answer.IsSuccessStatusCode;
        }, "the second gateway answers");
    }

    /// <summary>SIGTERM, until it is gone.</summary>
    public async Task Stop()
    {
        using var process = _process!;
        await Signal(process.Id);
        using var limit = new CancellationTokenSource(StopLimit);
        await process.WaitForExitAsync(limit.Token);
        _process = null;
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Sends SIGTERM to a process.</summary>
    public static async Task Signal(int process)
    {
        using var kill = Process.Start("kill", ["-TERM", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await Stop();
    }

    [GeneratedRegex("^(?<export>export Hosting__Gateway__(?<key>Name|Port|AdminPort|StateDirectory)=)(?<value>.*)$", RegexOptions.Multiline)]
    private static partial Regex Setting();
}
