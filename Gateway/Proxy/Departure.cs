namespace Hosting.Gateway.Proxy;

/// <summary>
/// Leaves without failing anybody: after SIGTERM it goes on serving for a moment, says on /readyz that it leaves, and ends each
/// connection with its next answer, so that clients and balancers come with no request on a connection that is about to
/// close. Only then does the listener stop, and what is in flight is finished.
/// </summary>
internal sealed class Departure(GatewayOptions options, TimeProvider time, ILogger<Departure> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private volatile bool _leaving;
    private long _lastRequest;

    /// <summary>Whether it was told to stop.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>A request came.</summary>
    public void Note(HttpContext context)
    {
        if (!_leaving)
            return;
        Volatile.Write(ref _lastRequest, time.GetTimestamp());
        context.Response.OnStarting(static answer =>
        {
            ((HttpResponse)answer).Headers.Connection = "close";
            return Task.CompletedTask;
        }, context.Response);
    }

    /// <summary>Ends sooner when nobody comes any more.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        Volatile.Write(ref _lastRequest, begun);
        _leaving = true;
        logger.LogInformation("Gateway {Name} leaves: it serves for up to {Seconds} s more, then finishes what is in flight.", options.Name, options.Drain.TotalSeconds);
        while (time.GetElapsedTime(begun) < options.Drain && time.GetElapsedTime(Volatile.Read(ref _lastRequest)) < Quiet)
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
