using System.Globalization;
using Hosting.Support;

namespace Hosting.Benchmarks.Soak;

/// <summary>Servers that exist only as agents: each speaks the real protocol over a stream of its own, and runs nothing.</summary>
internal sealed class SimulatedPool : IAsyncDisposable
{
    private const string Region = "eu-1";
    private const int Vms = 4;
    private const int ConnectsAtOnce = 32;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly string _hub;
    private readonly SimulatedAgent?[] _agents;
    private readonly List<Task> _kept = [];
    private readonly CancellationTokenSource _ended = new();
    private int _dropped;
    private int _lost;

    private SimulatedPool(string hub, int servers) => (_hub, _agents) = (hub, new SimulatedAgent?[servers]);

    /// <summary>Connects every server.</summary>
    public static async Task<SimulatedPool> Connect(string hub, int servers, CancellationToken cancellation)
    {
        var pool = new SimulatedPool(hub, servers);
        foreach (var chunk in Enumerable.Range(0, servers).Chunk(ConnectsAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            await Task.WhenAll(chunk.Select(pool.Connect));
        }
        pool._kept.AddRange(pool._agents.OfType<SimulatedAgent>().Select(pool.Keep));
        return pool;
    }

    /// <summary>Containers that all servers say they run.</summary>
    public int Running => _agents.Sum(agent => agent?.Running.Count ?? 0);

    /// <summary>Messages between all servers and the silo so far.</summary>
    public long Messages => _agents.Sum(agent => agent?.Messages ?? 0);

    /// <summary>Streams that ended although nobody here ended them.</summary>
    public int Lost => Volatile.Read(ref _lost) - Volatile.Read(ref _dropped);

    /// <summary>An agent's process is killed and started again: it knows what runs.</summary>
    public async Task Restart(int server)
    {
        if (_agents[server] is not { Conversation.IsCompleted: false } agent)
            return;
        Interlocked.Increment(ref _dropped);
        await agent.Drop();
    }

    /// <summary>A container of a server fails for good.</summary>
    public void Fail(int server)
    {
        if (_agents[server] is not { } agent || agent.Running.FirstOrDefault() is not { } victim)
            return;
        agent.Report(new Protocol.Container { Id = victim, Vm = agent.VmOf(victim), State = Protocol.ContainerState.Failed, Reason = "the soak ended it" });
    }

    /// <summary>A server measures nothing for a while, with its stream open.</summary>
    public async Task Silence(int server, TimeSpan howLong, CancellationToken cancellation)
    {
        if (_agents[server] is not { } agent)
            return;
        agent.Silent = true;
        await Task.Delay(howLong, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        agent.Silent = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await Task.WhenAll(_kept);
        foreach (var chunk in _agents.OfType<SimulatedAgent>().Chunk(ConnectsAtOnce))
            await Task.WhenAll(chunk.Select(agent => agent.DisposeAsync().AsTask()));
    }

    /// <summary>As a real agent does: a stream that ends, for whatever reason, is followed by another.</summary>
    private async Task Keep(SimulatedAgent agent)
    {
        while (!_ended.IsCancellationRequested)
        {
            await Task.WhenAny(agent.Conversation, Task.Delay(Timeout.InfiniteTimeSpan, _ended.Token));
            if (_ended.IsCancellationRequested)
                return;
            Interlocked.Increment(ref _lost);
            while (!_ended.IsCancellationRequested && !await agent.TryConnect())
                await Task.Delay(LongestPause * Random.Shared.NextDouble(), _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Connect(int server) => _agents[server] = await SimulatedAgent.Connect(
        _hub, Region, string.Create(CultureInfo.InvariantCulture, $"sim-{server}"), Vms, vmCpu: 2_000, vmMemory: 4_096, hello => hello.Labels.Add("simulated", "yes"), ReportEvery);
}
