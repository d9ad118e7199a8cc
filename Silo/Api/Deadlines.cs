namespace Hosting.Silo.Api;

/// <summary>No request waits for ever for another part of the platform.</summary>
internal static class Deadlines
{
    /// <summary>For one call of a grain or of the store.</summary>
    public static TimeSpan Call { get; } = TimeSpan.FromSeconds(5);

    private const int LeastPause = 50;
    private const int MostPause = 200;

    /// <summary>The call's answer, or a <see cref="TimeoutException"/> once <see cref="Call"/> has passed.</summary>
    public static Task<T> Bounded<T>(this Task<T> call, CancellationToken cancel) => call.WaitAsync(Call, cancel);

    /// <summary>
    /// The answer of a call that is safe to repeat: made again, after a short pause of random length, while the silo that had
    /// its grain is gone and <see cref="Call"/> has not passed. What else fails, fails at once.
    /// </summary>
    public static async Task<T> Repeated<T>(Func<Task<T>> call, CancellationToken cancel)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await call().WaitAsync(Call, cancel);
            }
            catch (OrleansException lost) when (Failures.IsLostSilo(lost) && TimeProvider.System.GetElapsedTime(begun) < Call)
            {
                await Task.Delay(Random.Shared.Next(LeastPause, MostPause), cancel);
            }
        }
    }

    /// <inheritdoc cref="Bounded{T}"/>
    public static Task Bounded(this Task call, CancellationToken cancel) => call.WaitAsync(Call, cancel);
}
