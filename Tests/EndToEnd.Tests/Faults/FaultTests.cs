using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Hosting.EndToEnd.Tests.Scenarios;
using Hosting.Support.Faults;

namespace Hosting.EndToEnd.Tests.Faults;

/// <summary>
/// Every process and every link is broken under load and a stream of deployments: no request fails but of a gateway that is broken itself, nothing
/// acknowledged is lost, nothing runs twice, and all is well again soon after.
/// </summary>
[Collection(Apart.Name)]
public class FaultTests(ApartPool pool)
{
    private const string App = "steady";
    private const int ConvergedWithin = 30;

    /// <summary>Faults that are tried each time.</summary>
    private static readonly string[] Always = ["kill silo-1", "freeze silo-3 --for 6", "kill postgres", "cut silo-1 postgres --for 6"];

    /// <summary>One of these is tried each time, by a seed that is printed; all of them when HOSTING_FAULTS is "all".</summary>
    private static readonly string[] InTurn =
    [
        "freeze postgres --for 4", "kill agent-1", "freeze agent-2 --for 5", "cut silo-1 peers --for 6", "cut eu-1 us-1 --for 5",
        "cut us-1 eu-1 --one-way --for 5", "slow silo-3 postgres --for 5", "fill postgres --for 3", "fill agent-1 --for 3",
        "clock silo-1 3600 --for 6", "clock silo-2 -3600 --for 6", "clock agent-1 3600 --for 6", "clock agent-2 -3600 --for 6", "clock gateway-1 3600 --for 6",
        "kill gateway-1", "freeze gateway-1 --for 4",
        // There is one standby: nothing can come after it.
        "failover",
    ];

    /// <summary>What is broken in this run. The seed is HOSTING_FAULTS when that is a number.</summary>
    public static TheoryData<string, int> Faults()
    {
        var wish = Environment.GetEnvironmentVariable("HOSTING_FAULTS");
        var seed = int.TryParse(wish, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1_000);
        var chosen = wish == "all" ? InTurn : [InTurn[seed % InTurn.Length]];
        return [.. Always.Concat(chosen).Select(fault => (fault, seed))];
    }

    [Theory, MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task No_request_fails_nothing_acknowledged_is_lost_and_all_is_well_soon_after(string fault, int seed)
    {
        await Prepare();
        var gateway = new Uri($"http://127.0.0.1:{pool.Stack.Port}/");
        await using var load = Load.Gentle(pool, App);
        await using var stream = new DeployStream(gateway);
        await using var probe = new ApiProbe(gateway);
        await pool.Await(() => Task.FromResult(stream.Acknowledged >= 8), "apps are deployed");
        await load.More(20);

        await pool.Break(fault);
        var healed = Stopwatch.GetTimestamp();
        await Converged();
        var acknowledged = stream.Acknowledged;
        await pool.Await(() => Task.FromResult(stream.Acknowledged >= acknowledged + 8), "apps are deployed again");
        var took = Stopwatch.GetElapsedTime(healed);
        await load.More(20);
        await stream.Stop();
        await probe.Stop();

        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{fault} (seed {seed}): well again after {took.TotalSeconds:0.0} s; API away for {probe.Outage.Longest.TotalSeconds:0.0} s, deployments for {stream.LongestOutage.TotalSeconds:0.0} s; {load.Figures}"));
        Assert.Empty(await stream.Lost());
        // Whoever asks the only gateway while it is broken is not answered.
        if (!fault.Contains("gateway-1", StringComparison.Ordinal) || fault.StartsWith("clock", StringComparison.Ordinal))
            await load.AllAnswered();
    }

    private async Task Prepare()
    {
        foreach (var region in new[] { "eu-1", "us-1" })
            await pool.Stack.Patch($"regions/{region}", new { thresholds = new { admit = 1.0, evict = 1.0 } });
        await pool.Deploy(App, 2, new { regions = new[] { "eu-1", "us-1" } });
    }

    /// <summary>The app runs as it should, every server takes containers, no VM is over capacity, and the engines run what is on record.</summary>
    private Task Converged() => pool.Await(async () =>
    {
        var servers = (await pool.Stack.Get("servers")).AsArray();
        var vms = (await pool.Stack.Get("vms")).AsArray();
        var status = await pool.App(App);
        var records = await pool.Containers();
        return servers.All(s => (bool)s!["online"]! && (bool)s["admitting"]!)
            && vms.All(vm => (bool)vm!["ready"]! && HasRoom(vm))
            && (string?)status["phase"] == "Running" && (int)status["ready"]! == 2
            && records.Count == 2 && records.Select(c => c.Server).Distinct().Count() == 2
            && records.Select(c => c.Id).Order(StringComparer.Ordinal).SequenceEqual(await Engines.Running(pool.Stack));
    }, "all is well again", ConvergedWithin);

    private static bool HasRoom(JsonNode vm) => (int)vm["freeCpuMillis"]! >= 0 && (int)vm["freeMemoryMiB"]! >= 0;
}
