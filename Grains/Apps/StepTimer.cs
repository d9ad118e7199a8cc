namespace Hosting.Grains.Apps;

/// <summary>
/// When a grain takes its next step: by a period, and sooner when somebody asks for it. The soonest wish counts, so whoever wants
/// to look again in a while does not make wait what has just happened.
/// </summary>
/// <param name="timer">Runs the steps.</param>
/// <param name="clock">Its clock.</param>
/// <param name="period">Longest time between two steps.</param>
internal sealed class StepTimer(IGrainTimer timer, TimeProvider clock, TimeSpan period)
{
    private DateTimeOffset _next = DateTimeOffset.MaxValue;

    /// <summary>The next step comes within this time.</summary>
    public void Within(TimeSpan wait)
    {
        var due = clock.GetUtcNow() + wait;
        if (_next <= due)
            return;
        _next = due;
        timer.Change(wait, period);
    }

    /// <summary>A step begins: what is asked for from now on is the next one.</summary>
    public void Begin() => _next = DateTimeOffset.MaxValue;
}
