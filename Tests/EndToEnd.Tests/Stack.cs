using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Support;

[assembly: AssemblyFixture(typeof(Hosting.EndToEnd.Tests.Stack))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Hosting.EndToEnd.Tests;

/// <summary>A stack as a newcomer has it: brought up by <c>infra/up</c>, with a home and a port of its own, and purged at the end.</summary>
public sealed class Stack : IAsyncLifetime
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RepeatWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RepeatEvery = TimeSpan.FromMilliseconds(250);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) }) { Timeout = TimeSpan.FromSeconds(15) };

    /// <summary>The stack that all tests share.</summary>
    public Stack() : this(Path.Combine(Path.GetTempPath(), $"hosting-e2e-{Environment.ProcessId}"))
    {
    }

    internal Stack(string home) => Home = home;

    public string Home { get; }

    public int Port { get; } = Ports.Free();

    /// <summary>What its commands have in their environment besides.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    public async ValueTask InitializeAsync()
    {
        var up = await Run("infra/up");
        Assert.True(up.ExitCode == 0, $"infra/up failed:\n{up.Output}\n{up.Error}");
        // The tests share this machine with the stack: what they do must not close the server for new containers.
        await Patch("regions/eu-1", new { thresholds = new { admit = 1.0, evict = 1.0 } });
    }

    public async ValueTask DisposeAsync()
    {
        await Run("infra/down", "--purge");
        _http.Dispose();
    }

    /// <summary>Runs a command of the checkout against this stack.</summary>
    public async Task<(int ExitCode, string Output, string Error)> Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Checkout.Root, command), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HOSTING_HOME"] = Home, ["HOSTING_HTTP_PORT"] = Port.ToString(CultureInfo.InvariantCulture) },
        };
        foreach (var (name, value) in Settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(CommandLimit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Runs the command line and expects it to succeed.</summary>
    public async Task<string> Hosting(params string[] arguments)
    {
        var (exitCode, output, error) = await Run("infra/hosting", arguments);
        Assert.True(exitCode == 0, $"hosting {string.Join(' ', arguments)} ended with {exitCode}: {error}");
        return output;
    }

    /// <summary>GETs an app's page through the gateway.</summary>
    public async Task<HttpResponseMessage> GetApp(string app, string path = "/")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{Port}{path}");
        request.Headers.Host = $"{app}.localhost:{Port}";
        return await _http.SendAsync(request);
    }

    /// <summary>GETs JSON from the API.</summary>
    public async Task<JsonNode> Get(string path) => (await _http.GetFromJsonAsync<JsonNode>(Api(path)))!;

    public Task<HttpResponseMessage> GetStatus(string path) => _http.GetAsync(Api(path));

    /// <summary>PATCHes, again and again while the API asks for that with a 503, as the command line does.</summary>
    public async Task Patch(string path, object body)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            using var answer = await _http.PatchAsJsonAsync(Api(path), body);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || Stopwatch.GetElapsedTime(begun) > RepeatWithin)
            {
                answer.EnsureSuccessStatusCode();
                return;
            }
            await Task.Delay(RepeatEvery, TestContext.Current.CancellationToken);
        }
    }

    public Task<HttpResponseMessage> Put(string app, object spec) => _http.PutAsJsonAsync(Api($"apps/{app}"), spec);

    /// <summary>The ids of an app's containers, sorted.</summary>
    public async Task<List<string>> Containers(string app) =>
        [.. (await Get($"apps/{app}/containers")).AsArray().Select(c => (string)c!["id"]!).Order(StringComparer.Ordinal)];

    /// <summary>The process that the stack's pid file names.</summary>
    public async Task<int> ProcessOf(string name) =>
        int.Parse(await File.ReadAllTextAsync(Path.Combine(Home, "run", name + ".pid")), CultureInfo.InvariantCulture);

    /// <summary>kill -9.</summary>
    public static async Task Kill(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Waits until a condition that no event announces holds.</summary>
    public static async Task Eventually(Func<Task<bool>> condition, string what, int seconds = 60)
    {
        var begun = Stopwatch.GetTimestamp();
        Exception? last = null;
        while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                last = e;
            }
            await Task.Delay(50);
        }
        Assert.Fail($"not within {seconds} s: {what} {last?.Message}");
    }

    private string Api(string path) => $"http://127.0.0.1:{Port}/v1/{path}";
}
