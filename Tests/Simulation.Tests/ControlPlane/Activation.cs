namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>
/// A grain that may begin anew in the middle of a request, because its silo is lost: what was under way ends at its next wait,
/// and what it had asked for elsewhere may happen all the same.
/// </summary>
internal abstract class Activation(Region region)
{
    protected Region Region { get; } = region;

    /// <summary>Counts activations.</summary>
    protected int Number { get; private set; }

    protected void BeginAnew() => Number++;

    /// <summary>A write to the database is under way.</summary>
    protected async Task Write()
    {
        var number = Number;
        await Region.Write();
        Check(number);
    }

    protected async Task<T> Call<T>(Func<Task<T>> act)
    {
        var number = Number;
        var answer = await Region.Network.Call(act);
        Check(number);
        return answer;
    }

    protected async Task Call(Func<Task> act)
    {
        var number = Number;
        await Region.Network.Call(act);
        Check(number);
    }

    private void Check(int number)
    {
        if (number != Number) throw new CallFailedException("the grain's silo is lost");
    }
}
