using System.Globalization;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>A server's own application needs its machine.</summary>
[Collection(OnePool.Name)]
public class PressureTests(Pool pool)
{
    [Fact]
    public async Task A_server_whose_primary_takes_90_percent_admits_nothing_within_1_s_and_is_relieved_within_10_s()
    {
        await pool.Calm();
        await pool.Deploy("guest", 3);
        await using var load = Load.Gentle(pool, "guest");
        await load.More(50);
        var server = await pool.ServerOf("guest");
        var since = await pool.Now();
        await using var primary = await Primary.Start(pool, server, 0.9);

        await pool.Await(async () => !await pool.Admits(server), $"{server} takes nothing more", seconds: 20);
        var closed = primary.Elapsed;
        await pool.Await(async () => (await pool.Containers(server: server)).Count == 0, $"{server} is relieved", seconds: 40);
        var relieved = primary.Elapsed;

        await pool.Running("guest");
        await load.More(50);
        await load.AllAnswered();
        var figures = string.Create(CultureInfo.InvariantCulture,
            $"not admitting after {closed.TotalSeconds:0.00} s, relieved after {relieved.TotalSeconds:0.00} s; {load.Figures}");
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        var events = await pool.Since(since);
        Assert.Contains(events, e => e.Kind == "evicting" && e.Server == server);
        Assert.True(closed <= TimeSpan.FromSeconds(1) && relieved <= TimeSpan.FromSeconds(10), $"{figures}\n{string.Join('\n', events)}");
    }

    [Fact]
    public async Task A_container_that_would_take_everything_leaves_a_server_whose_primary_needs_half()
    {
        await pool.Calm();
        string[] command = ["/bin/sh", "-c", "httpd -p 8080 -h /www; while :; do :; done"];
        await pool.Deploy("greedy", 1, new { command, stopGraceSeconds = 1, healthCheck = new { timeoutSeconds = 5, intervalSeconds = 5 } });
        var server = await pool.ServerOf("greedy");
        var since = await pool.Now();
        await using var primary = await Primary.Start(pool, server, 0.5);
        await pool.Await(async () => (await pool.Containers(server: server)).Count == 0, $"{server} is relieved", seconds: 40);
        TestContext.Current.TestOutputHelper!.WriteLine($"relieved after {primary.Elapsed.TotalSeconds:0.0} s: {(await pool.Since(since)).First(e => e.Kind == "evicting").Message}");
        await pool.Running("greedy");
    }

    [Fact]
    public async Task With_every_server_hot_nothing_moves_and_when_one_cools_down_containers_go_there_one_by_one()
    {
        await pool.Calm();
        // Together the servers have all of this machine, which has other things to do, too: half of each is hot enough here.
        await pool.Policy(new { thresholds = new { admit = 0.3, evict = 0.4 }, movesAtOnce = 1 });
        string[] apps = ["one", "two", "three"];
        foreach (var app in apps)
            await pool.Deploy(app, 2);
        await using var load = Load.Gentle(pool, "one");
        var before = await Places();
        var since = await pool.Now();
        var primaries = await Task.WhenAll(Pool.Servers.Select(server => Primary.Start(pool, server, 0.5)));
        try
        {
            await Task.WhenAll(apps.Select(app => pool.Await(async () => await IsThrottled(app), $"{app} says that it is throttled")));
            await load.More(200);
            await Task.WhenAll(apps.Select(app => pool.Await(async () => (int)(await pool.App(app))["ready"]! >= 1, $"{app} serves")));
            Assert.True(before.SequenceEqual(await Places()), $"something moved with every server hot\n{await pool.Story()}");
            Assert.DoesNotContain(await pool.Since(since), e => e.Kind is "evicting" or "failed");

            await primaries[0].DisposeAsync();
            var most = 0;
            await pool.Await(async () =>
            {
                var containers = await pool.Containers();
                most = Math.Max(most, containers.Count);
                return containers.Count == before.Count && containers.All(c => c.Server == Pool.Servers[0]);
            }, "everything is on the server that cooled down");
            Assert.True(most <= before.Count + 1, $"{most} containers at once, {before.Count} wanted and one move at once allowed\n{await pool.Story()}");
            TestContext.Current.TestOutputHelper!.WriteLine($"{(await pool.Since(since)).Count(e => e.Kind == "evicting")} moves, {most - before.Count} at once; {load.Figures}");
        }
        finally
        {
            foreach (var primary in primaries)
                await primary.DisposeAsync();
        }
        await Task.WhenAll(apps.Select(pool.Running));
        await load.AllAnswered();
    }

    private async Task<bool> IsThrottled(string app)
    {
        var status = await pool.App(app);
        return (string?)status["phase"] == "Degraded" && ((string?)status["message"])!.Contains("throttled", StringComparison.Ordinal);
    }

    private async Task<List<(string Id, string Server, string Vm)>> Places() =>
        [.. (await pool.Containers()).Select(c => (c.Id, c.Server, c.Vm)).Order()];
}
