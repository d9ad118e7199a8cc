using System.Diagnostics;
using System.Globalization;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>Engines and agents that die.</summary>
[Collection(OnePool.Name)]
public class LossTests(Pool pool)
{
    private static readonly TimeSpan EngineIsBack = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_killed_engine_is_back_after_2_s_and_the_start_of_its_containers_and_loses_only_what_was_under_way()
    {
        await pool.Calm();
        await pool.Deploy("steady", 3);
        var begun = Stopwatch.GetTimestamp();
        await pool.Deploy("started", 1);
        var start = Stopwatch.GetElapsedTime(begun);
        await pool.Stack.Hosting("delete", "started", "--wait");

        await using var load = Load.Gentle(pool, "steady");
        await load.More(50);
        var before = await pool.Containers("steady");
        var victim = before[0];
        var since = await pool.Now();
        await Stack.Kill(Engine(victim));
        var killed = Stopwatch.GetTimestamp();
        await pool.Await(async () => await Find(victim) is { Healthy: true } now && now.StartedAt != victim.StartedAt, $"{victim.Id} is back");
        var back = Stopwatch.GetElapsedTime(killed);

        await pool.Running("steady");
        Assert.Equal(Places(before), Places(await pool.Containers("steady")));
        await load.More(50);
        await load.DisposeAsync();
        var figures = string.Create(CultureInfo.InvariantCulture, $"back after {back.TotalSeconds:0.00} s, a start takes {start.TotalSeconds:0.00} s; {load.Figures}");
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        // A GET is tried again elsewhere, unless a part of its answer was on its way already.
        Assert.True(load.Failures.All(failure => failure.Contains("the connection ended after", StringComparison.Ordinal)), string.Join('\n', load.Failures));
        Assert.True(back <= EngineIsBack + start && load.Failures.Count <= 1, $"{figures}\n{string.Join('\n', load.Failures.Concat((await pool.Since(since)).Select(e => $"{e}")))}");
    }

    [Fact]
    public async Task An_agent_that_is_back_before_its_server_counts_as_lost_finds_everything_where_it_was()
    {
        await pool.Calm();
        await pool.Deploy("staying", 3);
        var before = await pool.Containers("staying");
        var server = before[0].Server;
        var agent = $"agent-{Number(server)}";
        await using var load = Load.Gentle(pool, "staying");
        await load.More(50);
        var since = await pool.Now();
        var old = await pool.Stack.ProcessOf(agent);
        await Stack.Kill(old);
        await pool.Await(async () => await pool.Stack.ProcessOf(agent) != old, $"{agent} is started again");
        await pool.Await(async () => (await pool.Since(since)).Any(e => e.Kind == "connected" && e.Server == server), $"{server} is connected again");
        await pool.Await(() => pool.Admits(server), $"{server} takes containers again");
        await pool.Running("staying");
        await load.More(50);
        await load.AllAnswered();

        var events = await pool.Since(since);
        Assert.Equal(Places(before), Places(await pool.Containers("staying")));
        Assert.DoesNotContain(events, e => e.Kind is "lost" or "evicting" or "failed" or "placed" or "stopped" or "unhealthy");
        TestContext.Current.TestOutputHelper!.WriteLine($"{string.Join(", ", events.Select(e => e.Kind))}; {load.Figures}");
    }

    private async Task<Replica?> Find(Replica wanted) => (await pool.Containers(wanted.App)).FirstOrDefault(c => c.Id == wanted.Id);

    private int Engine(Replica container) => int.Parse(
        File.ReadAllText(Path.Combine(pool.Stack.Home, $"agent-{Number(container.Server)}", "vms", container.Vm, "engine.pid")), CultureInfo.InvariantCulture);

    private static IEnumerable<(string Id, string Server, string Vm)> Places(IEnumerable<Replica> replicas) =>
        replicas.Select(c => (c.Id, c.Server, c.Vm)).Order();

    private static int Number(string server) => int.Parse(server.AsSpan(4), CultureInfo.InvariantCulture);
}
