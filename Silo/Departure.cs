namespace Hosting.Silo;

/// <summary>
/// A moment between being told to stop and stopping, in which the API goes on and ends each connection with its answer: a
/// gateway then comes with its next request on a new one, which another silo takes. Agents are sent away meanwhile.
/// </summary>
internal sealed class Departure : IHostedLifecycleService
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(500);
    private volatile bool _leaving;

    /// <summary>Whether it was told to stop.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>To be called for each request.</summary>
    public Task Note(HttpContext http, RequestDelegate next)
    {
        if (_leaving && HttpProtocol.IsHttp11(http.Request.Protocol))
            http.Response.Headers.Connection = "close";
        return next(http);
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _leaving = true;
        return Task.Delay(Moment, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
