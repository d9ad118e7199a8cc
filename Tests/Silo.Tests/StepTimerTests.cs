using Hosting.Grains.Apps;

namespace Hosting.Silo.Tests;

public sealed class StepTimerTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(100);

    private readonly SetClock _clock = new();
    private readonly List<TimeSpan> _waits = [];
    private readonly StepTimer _steps;

    public StepTimerTests() => _steps = new StepTimer(new Recorded(_waits), _clock, Period);

    [Fact]
    public void A_step_that_is_to_come_at_once_is_not_put_off()
    {
        _steps.Within(TimeSpan.Zero);
        _steps.Within(Later);
        _clock.Now += Later * 2; // It has not begun yet, on a busy silo.
        _steps.Within(TimeSpan.Zero);
        Assert.Equal([TimeSpan.Zero], _waits);
    }

    [Fact]
    public void A_step_that_is_to_come_later_comes_sooner_when_something_happens()
    {
        _steps.Within(Later);
        _steps.Within(TimeSpan.Zero);
        Assert.Equal([Later, TimeSpan.Zero], _waits);
    }

    [Fact]
    public void What_is_asked_for_during_a_step_is_the_next_one()
    {
        _steps.Within(TimeSpan.Zero);
        _steps.Begin();
        _steps.Within(Later);
        Assert.Equal([TimeSpan.Zero, Later], _waits);
    }

    private sealed class Recorded(List<TimeSpan> waits) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period)
        {
            Assert.Equal(Period, period);
            waits.Add(dueTime);
        }

        public void Dispose()
        {
        }
    }
}
