namespace Hosting.Silo.Api.Logs;

/// <summary>Admits followers of logs, up to a limit, and ends their streams when the silo stops.</summary>
internal sealed class LogFollower(LogSources sources, LogHistory history, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<LogFollower> log)
{
    private const int MostFollowers = 100;

    private int _followers;

    /// <summary>A stream of the lines asked for and of those to come.</summary>
    public IResult Follow(LogRequest request) => new Stream(this, request);

    private async Task Run(HttpContext http, LogRequest request)
    {
        if (Interlocked.Increment(ref _followers) > MostFollowers)
        {
            Interlocked.Decrement(ref _followers);
            http.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
            await Problems.Unavailable($"This silo streams logs to {MostFollowers} clients already.").ExecuteAsync(http);
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await new LogStream(request, sources, history, time, log).Run(http.Response, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away or the silo stops: the client resumes with its last id.
        }
        finally
        {
            Interlocked.Decrement(ref _followers);
        }
    }

    private sealed class Stream(LogFollower follower, LogRequest request) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => follower.Run(httpContext, request);
    }
}
