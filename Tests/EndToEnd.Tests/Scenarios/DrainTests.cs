namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>A server is emptied for its operator, and opened again.</summary>
[Collection(OnePool.Name)]
public class DrainTests(Pool pool)
{
    [Fact]
    public async Task A_drained_server_is_empty_without_a_failed_request_and_takes_containers_again_when_it_is_opened()
    {
        await pool.Calm();
        await pool.Deploy("leaving", 3);
        await using var load = Load.Gentle(pool, "leaving");
        await load.More(50);
        var server = await pool.ServerOf("leaving");
        var since = await pool.Now();
        await pool.Stack.Hosting("drain", $"{Pool.Region}/{server}");
        await pool.Await(async () => (await pool.Containers(server: server)).Count == 0, $"{server} is empty");
        await pool.Await(async () => (await pool.Since(since)).Any(e => e.Kind == "drained" && e.Server == server), $"{server} is said to be drained");
        await pool.Running("leaving");
        Assert.DoesNotContain(await pool.Containers("leaving"), c => c.Server == server);
        Assert.False(await pool.Admits(server));

        await pool.Stack.Hosting("uncordon", $"{Pool.Region}/{server}");
        await pool.Await(() => pool.Admits(server), $"{server} takes containers again");
        await pool.Deploy("leaving", 4);
        Assert.Contains(await pool.Containers("leaving"), c => c.Server == server);
        await load.More(50);
        await load.AllAnswered();
        TestContext.Current.TestOutputHelper!.WriteLine(load.Figures);
    }
}
