namespace Hosting.Benchmarks.Reaction;

/// <summary>What happens to a service of Swarm's, each time to a new one.</summary>
internal sealed class SwarmRuns(Swarm swarm)
{
    private const int Replicas = 4;

    public Task<Outcome> Update(CancellationToken cancellation) => OnService(Replicas, null, async () =>
    {
        var update = await swarm.PrepareUpdate();
        return await Run(Replicas, update, cancellation);
    });

    public Task<Outcome> KillContainer(TimeSpan? restartDelay, CancellationToken cancellation) =>
        OnService(1, restartDelay, () => Run(1, swarm.Kill, cancellation));

    public Task<Outcome> Drain(CancellationToken cancellation) => OnService(Replicas, null, async () =>
    {
        var drain = await swarm.PrepareDrain();
        return await Run(Replicas, drain, cancellation);
    });

    private async Task<Outcome> OnService(int replicas, TimeSpan? restartDelay, Func<Task<Outcome>> measure)
    {
        await swarm.Create(replicas, restartDelay);
        var outcome = await measure();
        await swarm.Remove();
        return outcome;
    }

    /// <summary>All of its tasks are replaced by others.</summary>
    private async Task<Outcome> Run(int replicas, Func<Task> cause, CancellationToken cancellation)
    {
        await using var client = new SwarmClient(swarm);
        return await Trial.Run(client.Next, "localhost", replicas, async here =>
        {
            await cause();
            return here;
        }, null, cancellation);
    }
}
