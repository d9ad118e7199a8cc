using System.Collections.Concurrent;

namespace Hosting.EndToEnd.Tests;

/// <summary>A thin, steady stream of requests to one app, while something else happens.</summary>
public sealed class Trickle : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task _running;
    private int _answered;

    public Trickle(Stack stack, string app) => _running = Run(stack, app);

    /// <summary>What went wrong, a line a request.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Requests answered with 200.</summary>
    public int Answered => Volatile.Read(ref _answered);

    /// <summary>Waits until so many more requests were answered.</summary>
    public async Task More(int requests)
    {
        var target = Answered + requests;
        await Stack.Eventually(() => Task.FromResult(Answered >= target), $"{requests} more requests are answered; {string.Join(", ", Failures.Take(3))}");
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _running;
        _ended.Dispose();
    }

    private async Task Run(Stack stack, string app)
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                using var answer = await stack.GetApp(app);
                if (answer.IsSuccessStatusCode)
                    Interlocked.Increment(ref _answered);
                else
                    _failures.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                _failures.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {failure.Message}");
            }
            await Task.Delay(Pause);
        }
    }
}
