namespace Hosting.Benchmarks.Soak;

/// <summary>What users and misfortune do to the platform meanwhile, all of it by one seed.</summary>
internal sealed class Churn(BenchStack stack, SimulatedPool pool, SoakOptions options)
{
    private const int Apps = 200;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);
    // Longer than a server is suspect after, shorter than it is lost after.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly Random _random = new(options.Seed);
    private readonly int[] _replicas = [.. Enumerable.Repeat(options.Containers / Apps, Apps)];
    private readonly int[] _versions = new int[Apps];
    private readonly List<Task> _silences = [];

    /// <summary>Replicas that all apps together should have.</summary>
    public int Wanted => _replicas.Sum();

    /// <summary>Deploys all apps.</summary>
    public async Task Deploy()
    {
        for (var app = 0; app < Apps; app++)
            await Put(app);
    }

    /// <summary>Goes on until it is told to stop.</summary>
    public async Task Run(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Pace);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
                await Next(stop);
        }
        catch (OperationCanceledException)
        {
        }
        await Task.WhenAll(_silences);
    }

    private async Task Next(CancellationToken stop)
    {
        var (app, server) = (_random.Next(Apps), _random.Next(options.Servers));
        switch (_random.Next(10))
        {
            case < 4:
                _replicas[app] = Math.Max(1, (options.Containers / Apps) + _random.Next(-10, 11));
                await Put(app);
                break;
            case < 5:
                _versions[app]++;
                await Put(app);
                break;
            case < 7:
                pool.Fail(server);
                break;
            case < 9:
                await pool.Restart(server);
                break;
            default:
                _silences.RemoveAll(silence => silence.IsCompleted);
                _silences.Add(pool.Silence(server, Silence, stop));
                break;
        }
    }

    private Task Put(int app) => stack.Put($"soak-{app}", new
    {
        image = "shop:1",
        port = 80,
        cpuMillis = 50,
        memoryMiB = 16,
        replicas = _replicas[app],
        constraints = new { simulated = "yes" },
        env = new { VERSION = $"{_versions[app]}" },
        rollout = new { maxSurge = 25, maxUnavailable = 0 },
    });
}
