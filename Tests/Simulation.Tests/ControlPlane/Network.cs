using Hosting.Simulation.Tests.Time;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Calls between the parts of the control plane: each way takes its time, and while faults are on a few get lost.</summary>
internal sealed class Network(VirtualTime time, Random random, Action<Func<Task>> run)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>Share of the messages that are lost.</summary>
    public double Loss { get; set; }

    public Task Call(Func<Task> act) => Call(async () =>
    {
        await act();
        return true;
    });

    /// <exception cref="CallFailedException">The call or its answer was lost.</exception>
    public async Task<T> Call<T>(Func<Task<T>> act)
    {
        await time.Wait(Delay());
        if (IsLost())
        {
            await time.Wait(Timeout);
            throw new CallFailedException("a call was lost");
        }
        var answer = await act();
        await time.Wait(Delay());
        if (!IsLost()) return answer;
        await time.Wait(Timeout);
        throw new CallFailedException("an answer was lost");
    }

    /// <summary>A message whose loss nobody notices.</summary>
    public void Tell(Action act)
    {
        var lost = IsLost();
        if (!lost) time.After(Delay(), act);
    }

    public void Tell(Func<Task> act) => Tell(() => run(act));

    private bool IsLost() => Loss > 0 && random.NextDouble() < Loss;

    // Mostly fractions of a millisecond; now and then somebody collects garbage or writes to a slow disk.
    private TimeSpan Delay() => TimeSpan.FromMilliseconds(random.NextDouble() < 0.01 ? 400 * random.NextDouble() : 0.05 + 2 * random.NextDouble());
}
