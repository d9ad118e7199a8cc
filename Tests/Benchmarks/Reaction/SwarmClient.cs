namespace Hosting.Benchmarks.Reaction;

/// <summary>Deals requests out over the tasks of a service, knowing at once which there are: the engines' events tell it.</summary>
internal sealed class SwarmClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyList<Uri>[] _endpoints;
    private readonly Task _watching;
    private int _next;

    public SwarmClient(Swarm swarm)
    {
        _endpoints = [.. swarm.Nodes.Select(_ => Array.Empty<Uri>())];
        _watching = Task.WhenAll(swarm.Nodes.Select((node, index) => node.Engine.Watch(
            async () => Volatile.Write(ref _endpoints[index], await Swarm.Endpoints(node)), _stop.Token)));
    }

    /// <summary>The next task's address; null while there is none.</summary>
    public Uri? Next()
    {
        var all = _endpoints.SelectMany(endpoints => endpoints).ToList();
        return all.Count == 0 ? null : all[(int)((uint)Interlocked.Increment(ref _next) % all.Count)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
