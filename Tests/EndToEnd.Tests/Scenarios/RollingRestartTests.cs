using System.Globalization;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>Every silo and every gateway is restarted in turn, as an upgrade does.</summary>
[Collection(OnePool.Name)]
public class RollingRestartTests(Pool pool)
{
    private const string App = "rolled";

    [Fact]
    public async Task No_request_fails_and_no_server_counts_as_lost()
    {
        await pool.Calm();
        await pool.Deploy(App, 3);
        var before = (await pool.Containers(App)).Select(c => c.Id).Order().ToList();
        var since = await pool.Now();
        await using var second = new SecondGateway(pool.Stack);
        await second.Start();
        await using var load = new Load(pool, App, connections: 4, TimeSpan.FromMilliseconds(10), [pool.Stack.Port, second.Port]);
        await load.More(200);

        foreach (var silo in new[] { "silo-1", "silo-2" })
        {
            await Restart(silo);
            await pool.Await(() => IsReady(silo), $"{silo} is ready again");
            await pool.Await(async () => (await Task.WhenAll(Pool.Servers.Select(pool.Server))).All(s => (bool)s["online"]!), "every server is connected");
            await load.More(200);
        }
        await second.Stop();
        await load.More(200);
        await second.Start();
        await Restart("gateway-1");
        await pool.Running(App);
        await load.More(200);

        await load.AllAnswered();
        var happened = await pool.Since(since);
        Assert.DoesNotContain(happened, e => e.Kind is "lost" or "suspect" or "moved" or "failed");
        Assert.Equal(before, (await pool.Containers(App)).Select(c => c.Id).Order());
        TestContext.Current.TestOutputHelper!.WriteLine($"two silos and two gateways restarted: {load.Figures}");
    }

    /// <summary>SIGTERM; whoever supervises it starts it again.</summary>
    private async Task Restart(string name)
    {
        var old = await pool.Stack.ProcessOf(name);
        await SecondGateway.Signal(old);
        await Stack.Eventually(async () => await pool.Stack.ProcessOf(name) != old, $"{name} is started again", seconds: 30);
    }

    private async Task<bool> IsReady(string silo)
    {
        var port = (await File.ReadAllLinesAsync(Path.Combine(pool.Stack.Home, "config", "ports"))).Single(line => line.StartsWith(silo + ".api=", StringComparison.Ordinal)).Split('=')[1];
        using var http = new HttpClient();
        using var answer = await http.GetAsync(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/readyz"));
        return answer.IsSuccessStatusCode;
    }
}
