namespace Hosting.Grains.Apps;

/// <summary>
/// Which regions answer. One that did not is left alone for a moment and waited for only shortly after that: an app's grain makes
/// one change at a time, and if each waited for a region that is cut off, those asked of the grain would pile up before it
/// faster than it waits.
/// </summary>
/// <param name="clock">The clock of deadlines.</param>
internal sealed class RegionReach(TimeProvider clock)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerAgainWithin = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, DateTimeOffset> _restUntil = new(StringComparer.Ordinal);

    /// <summary>A region's answer; not answered when it does not within 2 s, or did not a moment ago. What else fails is the caller's.</summary>
    public async Task<(bool Answered, T? Value)> Ask<T>(string region, Func<Task<T>> question)
    {
        var silent = _restUntil.TryGetValue(region, out var until);
        if (silent && clock.GetUtcNow() < until)
            return (false, default);
        try
        {
            var answer = await question().WaitAsync(silent ? AnswerAgainWithin : AnswerWithin, clock);
            _restUntil.Remove(region);
            return (true, answer);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            _restUntil[region] = clock.GetUtcNow() + Rest;
            return (false, default);
        }
    }
}
