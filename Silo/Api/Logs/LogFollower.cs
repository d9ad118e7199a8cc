namespace Hosting.Silo.Api.Logs;

/// <summary>Streams logs to whoever follows them.</summary>
internal sealed class LogFollower(LogSources sources, LogHistory history, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<LogFollower> log)
{
    private const int MostFollowers = 100;

    private readonly Followers _followers = new("logs", MostFollowers, lifetime);

    /// <summary>A stream of the lines asked for and of those to come.</summary>
    public IResult Follow(LogRequest request) => _followers.Stream((response, ending) => new LogStream(request, sources, history, time, log).Run(response, ending));
}
