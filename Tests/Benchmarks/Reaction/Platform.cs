using System.Diagnostics;
using System.Text.Json.Nodes;
using Hosting.Support;

namespace Hosting.Benchmarks.Reaction;

/// <summary>What happens to the platform's own apps: on server 1, with server 2 closed unless it has to take them.</summary>
internal sealed class Platform(BenchStack stack) : IDisposable
{
    private const int Replicas = 4;
    private const string Spread = "server";
    private const string Together = "none";
    private const string Server = "servers/eu-1/srv-01";
    private const string Other = "servers/eu-1/srv-02";
    // What ran for less is started again with growing delays: that is for what keeps ending, not for what is measured here.
    private static readonly TimeSpan RunsWellAfter = TimeSpan.FromSeconds(62);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly LocalVm[] _vms = [VmOf(stack, 1, 1), VmOf(stack, 1, 2)];
    private readonly long[] _startedAt = [Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp()];
    private int _apps;

    public static LocalVm VmOf(BenchStack stack, int server, int vm) => new(Path.Combine(stack.Home, $"agent-{server}", "vms", $"vm-{vm}"));

    public async Task Prepare()
    {
        await stack.Delete("hello");
        await Close(Other, true);
    }

    public Task<Outcome> Update(CancellationToken cancellation) => OnApp(Replicas, Together, app =>
        Run(app, Replicas, async here =>
        {
            await Put(app, Replicas, Together, revision: 2);
            return here;
        }, null, cancellation));

    public Task<Outcome> KillContainer(CancellationToken cancellation) => OnApp(1, Together, app =>
        Run(app, 1, async here =>
        {
            var vm = await stack.VmOf(app);
            await _vms[Index(vm)].KillContainer(here.Single());
            return Nobody;
        }, null, cancellation));

    /// <summary>Of one VM of a server; its neighbour takes what leaves, as it is with Swarm's nodes.</summary>
    public async Task<Outcome> Drain(CancellationToken cancellation)
    {
        await Close(Vm(1), true);
        var outcome = await OnApp(Replicas, Together, async app =>
        {
            await Close(Vm(1), false);
            return await Run(app, Replicas, async here =>
            {
                await stack.Post(Vm(0) + "/drain");
                return here;
            }, null, cancellation);
        });
        await Close(Vm(0), false);
        return outcome;
    }

    public async Task<Outcome> HotServer(CancellationToken cancellation)
    {
        var outcome = await OnApp(Replicas, Together, async app =>
        {
            await Close(Other, false);
            await stack.Patch(Server, new { thresholds = new { admit = 0.6, evict = 0.8 } });
            await stack.Admitting();
            Primary? primary = null;
            try
            {
                return await Run(app, Replicas, here =>
                {
                    primary = Primary.Busy(_vms[0]);
                    return Task.FromResult(here);
                }, Relief, cancellation);
            }
            finally
            {
                primary?.Dispose();
                await stack.Patch(Server, new { thresholds = new { admit = 1.0, evict = 1.0 } });
            }
        });
        await Close(Other, true);
        return outcome;
    }

    public async Task<Outcome> KillEngine(CancellationToken cancellation)
    {
        var target = _startedAt[0] <= _startedAt[1] ? 0 : 1;
        var left = RunsWellAfter - Stopwatch.GetElapsedTime(_startedAt[target]);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, cancellation);
        await Close(Vm(1 - target), true);
        var outcome = await OnApp(Replicas, Together, async app =>
        {
            await Close(Vm(1 - target), false);
            return await Run(app, Replicas, async _ =>
            {
                await _vms[target].KillEngine();
                return Nobody;
            }, null, cancellation);
        });
        await Ready();
        _startedAt[target] = Stopwatch.GetTimestamp();
        return outcome;
    }

    /// <summary>Half of the app is on it, half elsewhere.</summary>
    public async Task<Outcome> LoseServer(CancellationToken cancellation)
    {
        await Close(Other, false);
        var outcome = await OnApp(Replicas, Spread, async app =>
        {
            var lost = await OnServer1(app);
            var result = await Run(app, Replicas, async _ =>
            {
                await PowerOff();
                return lost;
            }, null, cancellation);
            await PowerOn();
            return result;
        });
        await Close(Other, true);
        return outcome;
    }

    public void Dispose()
    {
        foreach (var vm in _vms)
            vm.Dispose();
    }

    private static IReadOnlySet<string> Nobody { get; } = new HashSet<string>();

    private static string Vm(int index) => $"vms/eu-1/srv-01/vm-{index + 1}";

    private static int Index(string vm) => vm == "vm-1" ? 0 : 1;

    private Task Close(string path, bool cordoned) => stack.Patch(path, new { cordoned });

    private Task Put(string app, int replicas, string spread, int revision) => stack.Put(app, new
    {
        image = "hosting/hello:1", port = 8080, cpuMillis = 10, memoryMiB = 16, replicas, spread, env = new { REVISION = $"{revision}" },
    });

    /// <summary>Each time a new one: of an old one it is remembered what befell it.</summary>
    private async Task<Outcome> OnApp(int replicas, string spread, Func<string, Task<Outcome>> measure)
    {
        var app = $"reaction-{++_apps}";
        await stack.Admitting();
        await Put(app, replicas, spread, revision: 1);
        await stack.AllReady(app, replicas);
        // On a server of one core the starts until now are 100 %, at which it takes nothing: what happens from here on does so to an app at rest.
        await stack.Admitting();
        var outcome = await measure(app);
        await stack.Delete(app);
        return outcome;
    }

    private Task<Outcome> Run(string app, int replicas, Func<IReadOnlySet<string>, Task<IReadOnlySet<string>>> cause,
        Func<Trial, Task<IReadOnlyList<TimeSpan>>>? others, CancellationToken cancellation) =>
        Trial.Run(() => stack.Gateway, $"{app}.localhost", replicas, cause, others, cancellation);

    private async Task<IReadOnlyList<TimeSpan>> Relief(Trial trial)
    {
        var closed = await trial.Until(async () => !(bool)(await stack.Get(Server))["admitting"]!);
        var relieved = await trial.Until(async () => (int)(await stack.Get(Server))["containers"]! == 0);
        return [closed, relieved];
    }

    private async Task<IReadOnlySet<string>> OnServer1(string app) => (await stack.Get($"apps/{app}/containers")).AsArray()
        .Where(c => (string)c!["server"]! == "srv-01").Select(c => (string)c!["id"]!).ToHashSet(StringComparer.Ordinal);

    private async Task PowerOff()
    {
        foreach (var name in new[] { "agent-1.supervisor", "agent-1" })
        {
            using var process = stack.ProcessOf(name);
            process.Kill();
        }
        await Task.WhenAll(_vms.Select(vm => vm.PowerOff()));
    }

    private async Task PowerOn()
    {
        using var supervisor = Process.Start("setsid", ["-f", Path.Combine(Checkout.Root, "infra/lib/supervise"), stack.Home, "agent-1", "TERM"]);
        await Ready();
        Array.Fill(_startedAt, Stopwatch.GetTimestamp());
    }

    private Task Ready() => BenchStack.Until("the server and its VMs", async () => IsReady(await stack.Get(Server)), LookEvery);

    private static bool IsReady(JsonNode server) => (bool)server["online"]! && server["vms"]!.AsArray().All(vm => (bool)vm!["ready"]!);
}
