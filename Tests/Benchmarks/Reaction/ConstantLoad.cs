using System.Diagnostics;

namespace Hosting.Benchmarks.Reaction;

/// <summary>
/// Requests to an app at a constant rate, whatever becomes of those before; each on a connection of its own, so that a balancer
/// deals all of them out anew.
/// </summary>
internal sealed class ConstantLoad : IAsyncDisposable
{
    /// <summary>Requests a second: enough to hit any gap of 10 ms, little enough to leave the processors to what is measured.</summary>
    public const int Rate = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = Patience };
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Answer> _answers = [];
    private readonly Lock _lock = new();
    private readonly Func<Uri?> _next;
    private readonly string _host;
    private readonly Task _sending;

    private ConstantLoad(Func<Uri?> next, string host)
    {
        (_next, _host) = (next, host);
        _sending = Send();
    }

    /// <summary>Begins.</summary>
    /// <param name="next">Where the next request goes; null when there is nobody to ask, and it has failed.</param>
    /// <param name="host">Host name of the app.</param>
    public static ConstantLoad Start(Func<Uri?> next, string host) => new(next, host);

    /// <summary>What has ended since the given number of answers.</summary>
    public IReadOnlyList<Answer> After(int count)
    {
        lock (_lock)
            return _answers[count..];
    }

    /// <summary>Sends nothing more, and waits for what is under way.</summary>
    public async Task<IReadOnlyList<Answer>> Stop()
    {
        await _stop.CancelAsync();
        await _sending;
        return After(0);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task Send()
    {
        var under = new List<Task>();
        var begun = Stopwatch.GetTimestamp();
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            var due = TimeSpan.FromSeconds((double)number / Rate) - Stopwatch.GetElapsedTime(begun);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            under.Add(Ask());
        }
        await Task.WhenAll(under);
    }

    private async Task Ask()
    {
        var sent = Stopwatch.GetTimestamp();
        var (by, failure) = await Name();
        var answer = new Answer(sent, Stopwatch.GetTimestamp(), by, failure);
        lock (_lock)
            _answers.Add(answer);
    }

    /// <summary>The sample app answers "Hello from" and its host name.</summary>
    private async Task<(string? By, string? Failure)> Name()
    {
        if (_next() is not { } address)
            return (null, "nobody to ask");
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Host = _host;
        request.Headers.ConnectionClose = true;
        try
        {
            using var answer = await _http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            return answer.IsSuccessStatusCode ? (text.Split(' ')[^1].Trim(), null) : (null, $"{(int)answer.StatusCode} {text.ReplaceLineEndings(" ")}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            return (null, failure.Message);
        }
    }
}
