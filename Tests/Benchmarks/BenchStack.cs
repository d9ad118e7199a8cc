using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Support;

namespace Hosting.Benchmarks;

/// <summary>A stack of the benchmark's own, brought up by <c>infra/up</c> and purged at the end.</summary>
internal sealed class BenchStack : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new() { Timeout = Patience };
    private readonly int _port = Ports.Free();

    public string Home { get; } = Path.Combine(Path.GetTempPath(), $"hosting-bench-{Environment.ProcessId}");

    /// <summary>The gateway.</summary>
    public Uri Gateway => new($"http://127.0.0.1:{_port}/");

    /// <summary>Brings it up; a failure leaves nothing behind.</summary>
    /// <param name="shape">Options of <c>infra/up</c>.</param>
    public static async Task<BenchStack> Start(params string[] shape)
    {
        var stack = new BenchStack();
        try
        {
            if (await stack.Run("infra/up", shape) != 0)
                throw new PreconditionException("infra/up failed; run it by hand to see why.");
            // The load comes from the same machine: it must not close the server for the containers that are measured.
            await stack.Patch("regions/eu-1", new { thresholds = new { admit = 1.0, evict = 1.0 } });
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // In a session of its own: another Ctrl-C must not interrupt it.
        await Run("/usr/bin/setsid", "--wait", Path.Combine(Checkout.Root, "infra/down"), "--purge");
        _http.Dispose();
    }

    public async Task Patch(string path, object body)
    {
        using var answer = await _http.PatchAsJsonAsync(Api(path), body);
        answer.EnsureSuccessStatusCode();
    }

    public async Task Post(string path)
    {
        using var answer = await _http.PostAsync(Api(path), null);
        answer.EnsureSuccessStatusCode();
    }

    public Task Put(string app, int replicas) =>
        Put(app, new { image = "hosting/hello:1", port = 8080, cpuMillis = 10, memoryMiB = 16, replicas, spread = "none" });

    public async Task Put(string app, object spec)
    {
        using var answer = await _http.PutAsJsonAsync(Api($"apps/{app}"), spec);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The app's first 200 through the gateway.</summary>
    public async Task FirstAnswer(string app)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{_port}/");
            request.Headers.Host = $"{app}.localhost";
            using var answer = await _http.SendAsync(request);
            if (answer.StatusCode == HttpStatusCode.OK)
                return;
            await Task.Delay(1);
        }
    }

    /// <summary>Asked as often as the command line's --wait asks: every question is answered on the cores that are being measured.</summary>
    public Task AllReady(string app, int replicas) =>
        Until($"starting {replicas} replicas of {app}", async () => (int)(await Get($"apps/{app}"))["ready"]! >= replicas, TimeSpan.FromMilliseconds(200));

    public async Task Delete(string app)
    {
        using (await _http.DeleteAsync(Api($"apps/{app}")))
        {
        }
        await Until($"deleting {app}", async () =>
        {
            using var answer = await _http.GetAsync(Api($"apps/{app}"));
            return answer.StatusCode == HttpStatusCode.NotFound;
        }, TimeSpan.FromMilliseconds(50));
        await Admitting();
    }

    public Task Admitting() =>
        Until("the server's admission", async () => (bool)(await Get("servers/eu-1/srv-01"))["admitting"]!, TimeSpan.FromMilliseconds(50));

    /// <summary>Whether every server is online and takes containers.</summary>
    public async Task<bool> AllAdmitting() => (await Get("servers")).AsArray().All(s => (bool)s!["online"]! && (bool)s["admitting"]!);

    /// <summary>Breaks something by <c>infra/chaos</c>, and waits until that is over.</summary>
    public async Task Break(string fault)
    {
        if (await Run("infra/chaos", fault.Split(' ')) != 0)
            throw new PreconditionException($"infra/chaos {fault} failed.");
    }

    public async Task<JsonNode> Get(string path) => (await _http.GetFromJsonAsync<JsonNode>(Api(path)))!;

    /// <summary>The VM that an app's first container is in.</summary>
    public async Task<string> VmOf(string app) => (string)(await Get($"apps/{app}/containers"))[0]!["vm"]!;

    /// <summary>When the last of an app's containers was started, by this machine's clock.</summary>
    public async Task<DateTimeOffset> LastStart(string app) =>
        (await Get($"apps/{app}/containers")).AsArray().Max(c => (DateTimeOffset)c!["startedAt"]!);

    public Process ProcessOf(string name) =>
        Process.GetProcessById(int.Parse(File.ReadAllText(Path.Combine(Home, "run", name + ".pid")), CultureInfo.InvariantCulture));

    /// <summary>Where agents connect to the first silo.</summary>
    public string Hub => "http://127.0.0.1:" + File.ReadLines(Path.Combine(Home, "config", "ports"))
        .First(line => line.StartsWith("silo-1.agent=", StringComparison.Ordinal)).Split('=')[1];

    /// <summary>The engine of a VM, as the agent reaches it.</summary>
    public Uri Engine(string vm) => new($"unix://{Path.Combine(Home, "agent-1", "vms", vm, "engine.sock")}");

    /// <summary>Waits until a condition holds that no event announces.</summary>
    public static async Task Until(string what, Func<Task<bool>> condition, TimeSpan pause)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(begun) > Patience)
                throw new PreconditionException($"{what} took longer than {Patience.TotalSeconds} s.");
            await Task.Delay(pause);
        }
    }

    private async Task<int> Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Checkout.Root, command), arguments)
        {
            RedirectStandardOutput = true,
            Environment = { ["HOSTING_HOME"] = Home, ["HOSTING_HTTP_PORT"] = _port.ToString(CultureInfo.InvariantCulture) },
        })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            await Console.Error.WriteLineAsync(output);
        return process.ExitCode;
    }

    private string Api(string path) => $"http://127.0.0.1:{_port}/v1/{path}";
}
