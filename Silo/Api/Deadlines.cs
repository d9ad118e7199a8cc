namespace Hosting.Silo.Api;

/// <summary>No request waits for ever for another part of the platform.</summary>
internal static class Deadlines
{
    /// <summary>For one call of a grain or of the store.</summary>
    public static TimeSpan Call { get; } = TimeSpan.FromSeconds(5);

    // Milliseconds. Every attempt on a lost silo costs an exception in each layer below, and whoever takes over needs the processor.
    private const int FirstPause = 50;
    private const int LongestPause = 200;

    /// <summary>The call's answer, or a <see cref="TimeoutException"/> once <see cref="Call"/> has passed.</summary>
    public static Task<T> Bounded<T>(this Task<T> call, CancellationToken cancel) => call.WaitAsync(Call, cancel);

    /// <summary>
    /// The answer of a call that is safe to repeat: made again, after pauses of random length that grow from 0.05 to 0.2 s and twice as much at most,
    /// while the silo that had its grain is gone and <see cref="Call"/> has not passed. What else fails, fails at once.
    /// </summary>
    public static async Task<T> Repeated<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        var begun = TimeProvider.System.GetTimestamp();
        for (var pause = FirstPause; ; pause = Math.Min(2 * pause, LongestPause))
        {
            try
            {
                return await call().WaitAsync(Call, cancel);
            }
            catch (OrleansException lost) when (Failures.IsLostSilo(lost) && TimeProvider.System.GetElapsedTime(begun) < Call)
            {
                await Task.Delay(Random.Shared.Next(pause, 2 * pause), cancel);
            }
        }
    }

    /// <inheritdoc cref="Bounded{T}"/>
    public static Task Bounded(this Task call, CancellationToken cancel) => call.WaitAsync(Call, cancel);
}
