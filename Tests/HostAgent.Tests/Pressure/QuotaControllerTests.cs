using CsCheck;
using Hosting.HostAgent.Pressure;

namespace Hosting.HostAgent.Tests.Pressure;

public sealed class QuotaControllerTests
{
    private const int Capacity = 4000;
    private const int Floor = 400;
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly QuotaInput Calm = new(0.3, 0.8, 0.1, 500, Capacity);
    private static readonly QuotaInput Hot = Calm with { Cpu = 0.95, UsedMillis = 3000 };

    private static readonly Gen<QuotaInput> Inputs = Gen.Select(Gen.Double[0, 1], Gen.Double[0, 1].Nullable(), Gen.Int[0, Capacity])
        .Select((cpu, wait, used) => new QuotaInput(cpu, 0.8, wait, used, Capacity));

    [Fact]
    public void Pressure_is_a_cpu_over_its_threshold_or_a_primary_that_waits()
    {
        Assert.Null(QuotaController.Pressure(Calm));
        Assert.Null(QuotaController.Pressure(Calm with { Cpu = 0.8, PrimaryWait = null }));
        Assert.Equal("CPU 0.95 over 0.80", QuotaController.Pressure(Hot));
        Assert.Equal("the primary waits 0.40 of its time for a CPU, 0.30 is too much", QuotaController.Pressure(Calm with { PrimaryWait = 0.4 }));
        Assert.NotNull(QuotaController.Pressure(Calm with { PrimaryWait = 0.4, UsedMillis = Floor / 2 }));
        Assert.Null(QuotaController.Pressure(Calm with { PrimaryWait = 0.4, UsedMillis = (Floor / 2) - 1 }));
    }

    [Fact]
    public void A_moment_of_pressure_changes_nothing()
    {
        var (state, now) = Run(default, Start, Hot, seconds: 0.5);
        (state, now) = Run(state, now, Calm, seconds: 0.5);
        (state, _) = Run(state, now, Hot, seconds: 0.5);
        Assert.Null(state.CapMillis);
    }

    [Fact]
    public void Lasting_pressure_reaches_the_floor_before_containers_are_evicted()
    {
        var (state, _) = Run(default, Start, Hot, seconds: 5);
        Assert.Equal(Floor, state.CapMillis);
    }

    [Fact]
    public void The_first_step_bites_whatever_the_containers_use()
    {
        var (state, _) = Run(default, Start, Hot with { UsedMillis = 1000 }, seconds: 1);
        Assert.Equal(700, state.CapMillis);
    }

    [Fact]
    public void Under_constant_pressure_it_only_narrows_and_never_below_the_floor() =>
        Gen.Select(Inputs.Array[1, 60], Gen.Double[0.81, 1]).Sample((inputs, cpu) =>
        {
            var (state, now, before) = (default(QuotaController), Start, Capacity);
            foreach (var input in inputs)
            {
                state = state.Next(input with { Cpu = cpu }, now);
                Assert.InRange(state.CapMillis ?? Capacity, Floor, before);
                (now, before) = (now.AddSeconds(0.5), state.CapMillis ?? Capacity);
            }
        });

    [Fact]
    public void When_all_is_calm_it_is_lifted_whatever_came_before() =>
        Gen.Select(Inputs.Array[0, 60], Gen.Double[0, 0.7]).Sample((inputs, cpu) =>
        {
            var (state, now) = (default(QuotaController), Start);
            foreach (var input in inputs)
                (state, now) = (state.Next(input, now), now.AddSeconds(0.5));
            (state, _) = Run(state, now, Calm with { Cpu = cpu, UsedMillis = 100 }, seconds: 20);
            Assert.Null(state.CapMillis);
        });

    [Fact]
    public void It_never_swings_faster_than_its_steps() =>
        Gen.Select(Inputs, Gen.Double[0.1, 2]).Array[0, 100].Sample(history =>
        {
            var (state, now, changed, pressed) = (default(QuotaController), Start, DateTimeOffset.MinValue, DateTimeOffset.MinValue);
            foreach (var (input, pause) in history)
            {
                var before = state.CapMillis ?? Capacity;
                state = state.Next(input, now);
                var after = state.CapMillis ?? Capacity;
                pressed = QuotaController.Pressure(input) is null ? pressed : now;
                if (after != before)
                {
                    Assert.True(now - changed >= QuotaController.TightenEvery);
                    Assert.True(after < before ? pressed == now : now - pressed >= QuotaController.CalmFor);
                    changed = now;
                }

                now = now.AddSeconds(pause);
            }
        });

    /// <summary>Containers that take all they may beside a steady primary: the cap settles, it does not swing.</summary>
    [Fact]
    public void Greedy_containers_are_held_just_under_the_threshold() =>
        Gen.Double[0, 0.6].Sample(primary =>
        {
            var (state, now, changes) = (default(QuotaController), Start, 0);
            for (var i = 0; i < 240; i++)
            {
                var used = Math.Min((int)((1 - primary) * Capacity), state.CapMillis ?? Capacity);
                var before = state.CapMillis;
                state = state.Next(new QuotaInput(primary + ((double)used / Capacity), 0.8, 0.1, used, Capacity), now);
                changes += i >= 120 && before != state.CapMillis ? 1 : 0;
                now = now.AddSeconds(0.5);
            }

            Assert.Equal(0, changes);
            Assert.InRange(primary + ((double)(state.CapMillis ?? 0) / Capacity), 0.75, 0.80);
        });

    private static (QuotaController State, DateTimeOffset Now) Run(QuotaController state, DateTimeOffset now, QuotaInput input, double seconds)
    {
        for (var end = now.AddSeconds(seconds); now <= end; now = now.AddSeconds(0.5))
            state = state.Next(input with { UsedMillis = Math.Min(input.UsedMillis, state.CapMillis ?? Capacity) }, now);
        return (state, now);
    }
}
