using Hosting.HostAgent.Engine;

namespace Hosting.HostAgent.Reconcile;

/// <summary>Hears what changes on an engine: its event stream, and a list of everything now and then in case the stream lost something.</summary>
internal sealed class EngineWatch(string vm, ContainerEngine engine, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan ListEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Watches until cancelled.</summary>
    /// <param name="changed">Called for each container that something happened to.</param>
    /// <param name="listed">Called with everything the engine has: at first, after the stream broke, and now and then.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Action<string> changed, Action<IReadOnlyList<EngineContainer>> listed, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Watch first, then list: what happens in between is seen twice rather than never.
            using var round = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var stream = engine.WatchAsync(changed, round.Token);
            await ListAsync(listed, cancellation);
            await StayAsync(stream, listed, cancellation);
            await round.CancelAsync();
        }
    }

    private async Task StayAsync(Task stream, Action<IReadOnlyList<EngineContainer>> listed, CancellationToken cancellation)
    {
        while (await Task.WhenAny(stream, Task.Delay(ListEvery, time, cancellation)) != stream && !cancellation.IsCancellationRequested)
            await ListAsync(listed, cancellation);
        if (!cancellation.IsCancellationRequested)
            await Task.WhenAny(Task.Delay(Pause, time, cancellation));
        _ = stream.Exception;
    }

    private async Task ListAsync(Action<IReadOnlyList<EngineContainer>> listed, CancellationToken cancellation)
    {
        try
        {
            listed(await engine.ListAsync(cancellation));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            if (!cancellation.IsCancellationRequested)
                log.LogWarning("The engine of VM {Vm} did not list its containers: {Reason}", vm, error.Message);
        }
    }
}
