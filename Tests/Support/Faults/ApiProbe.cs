using System.Diagnostics;

namespace Hosting.Support.Faults;

/// <summary>
/// Asks the API for its apps every 50 ms, whatever became of the questions before. Whoever asks has a second's patience: an
/// answer that comes later, or none, counts as the API being away when it was asked.
/// </summary>
public sealed class ApiProbe : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _question;
    private readonly Task _asking;

    /// <summary>Begins.</summary>
    /// <param name="gateway">Address of the gateway.</param>
    public ApiProbe(Uri gateway)
    {
        _question = new Uri(gateway, "/v1/apps");
        _asking = Task.Run(Run);
    }

    /// <summary>When it was away.</summary>
    public Outage Outage { get; } = new();

    /// <summary>Asks nothing more.</summary>
    public async Task Stop()
    {
        if (!_stop.IsCancellationRequested)
            await _stop.CancelAsync();
        await _asking;
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task Run()
    {
        var under = new List<Task>();
        using var timer = new PeriodicTimer(Pace);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                under.RemoveAll(task => task.IsCompleted);
                under.Add(Ask());
            }
        }
        catch (OperationCanceledException)
        {
        }
        await Task.WhenAll(under);
    }

    private async Task Ask()
    {
        var asked = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await _http.GetAsync(_question);
            if (answer.IsSuccessStatusCode)
                Outage.Good(asked);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
        }
    }
}
