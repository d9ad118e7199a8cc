using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Hosting.Gateway.State;
using Hosting.Support;

namespace Hosting.Gateway.Tests;

/// <summary>The real process, started without a control plane.</summary>
public sealed class ProcessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_configuration_ends_it_with_2_and_every_error()
    {
        using var process = Start(new() { ["Hosting__Gateway__Port"] = "http", ["Hosting__AppsDomain"] = "a b" });
        var errors = await process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);

        Assert.Equal(2, process.ExitCode);
        Assert.Equal(3, errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task It_starts_without_silos_tells_its_health_and_ends_requests_before_itself()
    {
        var arrived = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        await using var backend = await Backend.Start("drain-1", async context =>
        {
            arrived.TrySetResult();
            await finish.Task;
            context.Response.StatusCode = 201;
        });
        var (port, admin) = (Ports.Free(), Ports.Free());
        using var folder = new TempFolder();
        await SaveRoutes(folder.Path, backend);
        using var process = Start(new()
        {
            ["ConnectionStrings__Hosting"] = "Host=127.0.0.1;Port=1;Database=none;Username=none",
            ["Hosting__Gateway__Address"] = "127.0.0.1",
            ["Hosting__Gateway__Port"] = $"{port}",
            ["Hosting__Gateway__AdminPort"] = $"{admin}",
            ["Hosting__Gateway__StateDirectory"] = folder.Path,
        });
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await Eventually.Get(() => Health(http, admin), status => status == HttpStatusCode.OK);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/");
        request.Headers.Host = "drain.localhost";
        var asking = http.SendAsync(request, Stop);
        await arrived.Task.WaitAsync(Stop);
        var metrics = await http.GetStringAsync($"http://127.0.0.1:{admin}/metrics", Stop);
        Assert.Contains("hosting_gateway_control_plane_up 0", metrics);
        Assert.Equal(0, Kill(process.Id, 15));
        await Eventually.Get(() => Health(http, admin), status => status != HttpStatusCode.OK);
        finish.SetResult();

        using var response = await asking;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        await process.WaitForExitAsync(Stop);
        Assert.Equal(0, process.ExitCode);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);

    private static async Task SaveRoutes(string folder, Backend backend)
    {
        var saved = new SavedRoutes { Api = [], Apps = [new SavedApp { Route = Routes.Of("drain", "eu-1", 1, backend.Endpoint), Hosts = ["drain.localhost"] }] };
        await File.WriteAllTextAsync(Path.Combine(folder, "routes.json"), JsonSerializer.Serialize(saved, SavedRoutesJson.Default.SavedRoutes), Stop);
    }

    private static async Task<HttpStatusCode?> Health(HttpClient http, int port)
    {
        try
        {
            using var response = await http.GetAsync($"http://127.0.0.1:{port}/readyz", Stop);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static Process Start(Dictionary<string, string?> settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(GatewayOptions).Assembly.Location]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }
}
