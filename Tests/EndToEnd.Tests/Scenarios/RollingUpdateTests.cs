namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>A new revision while users are at it.</summary>
[Collection(OnePool.Name)]
public class RollingUpdateTests(Pool pool)
{
    private const int Requests = 20_000;

    [Fact]
    public async Task No_request_of_20_000_fails_while_four_replicas_are_updated()
    {
        await pool.Calm();
        // The load is to be as much as the containers can answer: it must not make the servers move them away.
        await pool.Policy(new { thresholds = new { admit = 1.0, evict = 1.0 } });
        await pool.Deploy("rolling", 4, new { env = new { BUILD = "0" } });
        await using var load = new Load(pool, "rolling", connections: 4);
        await load.More(500);
        var updates = 0;
        do
        {
            var before = (await pool.Containers("rolling")).Select(c => c.Id).ToHashSet();
            await pool.Deploy("rolling", 4, new { env = new { BUILD = $"{++updates}" } });
            Assert.DoesNotContain(await pool.Containers("rolling"), c => before.Contains(c.Id));
            await load.More(500);
        }
        while (load.Answered < Requests);
        await load.AllAnswered();
        TestContext.Current.TestOutputHelper!.WriteLine($"{updates} rolling updates of 4 replicas: {load.Figures}");
    }
}
