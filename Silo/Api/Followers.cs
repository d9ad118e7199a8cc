namespace Hosting.Silo.Api;

/// <summary>Clients that follow something: admitted up to a limit, and sent away when the silo stops.</summary>
/// <param name="what">What they follow, in the plural.</param>
/// <param name="most">How many at once.</param>
/// <param name="lifetime">Says when the silo stops.</param>
internal sealed class Followers(string what, int most, IHostApplicationLifetime lifetime)
{
    private int _count;

    /// <summary>An answer that goes on until the client leaves or the silo stops; 503 when there are too many already.</summary>
    public IResult Stream(Func<HttpResponse, CancellationToken, Task> write) => new Answer(this, write);

    private async Task Run(HttpContext http, Func<HttpResponse, CancellationToken, Task> write)
    {
        if (Interlocked.Increment(ref _count) > most)
        {
            Interlocked.Decrement(ref _count);
            http.Response.Headers.RetryAfter = $"{Problems.RetryAfterSeconds}";
            await Problems.Unavailable($"This silo streams {what} to {most} clients already.").ExecuteAsync(http);
            return;
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await write(http.Response, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away or the silo stops: the client resumes with its last id.
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    private sealed class Answer(Followers followers, Func<HttpResponse, CancellationToken, Task> write) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => followers.Run(httpContext, write);
    }
}
