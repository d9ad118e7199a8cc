using Hosting.Placement;
using Hosting.Simulation.Tests.Time;

namespace Hosting.Simulation.Tests.World;

/// <summary>
/// What an agent does to the containers of its VMs: starts what is desired, stops what is not, restarts what exits with the
/// agent's backoff, ends the biggest when memory is gone. Times are those of real containers; a bad revision never gets
/// healthy, or crashes again and again.
/// </summary>
/// <param name="machine">Its server.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Of this simulation.</param>
/// <param name="say">Is told of every process whose status changed.</param>
internal sealed class Lifecycle(Machine machine, VirtualTime time, Random random, Action<Process> say)
{
    /// <summary>Memory in use from which the agent does not wait for the control plane.</summary>
    private const double MemoryGone = 0.985;

    /// <summary>Images whose name begins so never get healthy; with <see cref="Crashing"/> their processes exit.</summary>
    public const string Bad = "bad";

    public const string Crashing = "bad-crash";

    private static readonly TimeSpan RunsWellAfter = TimeSpan.FromSeconds(60);

    /// <summary>Brings a VM to what is desired, as far as its engine is there.</summary>
    public void Reconcile(Engine engine)
    {
        if (!machine.Powered || !engine.Ready || engine.Desired is not { } desired) return;
        var wanted = desired.Containers.ToDictionary(c => c.Id, StringComparer.Ordinal);
        foreach (var process in engine.Processes.Values.Where(p => !wanted.ContainsKey(p.Id)).ToList())
            if (process.Ended is not null) engine.Processes.Remove(process.Id);
            else Stop(process);
        foreach (var container in desired.Containers)
        {
            var known = engine.Processes.GetValueOrDefault(container.Id);
            if (known is null) engine.Processes.Add(container.Id, known = new Process(engine, container, 0.3 + 0.65 * random.NextDouble()));
            if (container.Stop) Stop(known);
            else if (known is { Turn: 0, Ended: null }) Start(known, TimeSpan.Zero);
        }
    }

    /// <summary>Its process exits by itself.</summary>
    public void Crash(Process process, string reason)
    {
        if (!process.Runs || process.Stopping) return;
        var ranWell = time.Now + machine.ClockSkew - process.StartedAt >= RunsWellAfter;
        process.Restarts = ranWell ? 1 : process.Restarts + 1;
        Down(process, reason);
        Start(process, TimeSpan.FromSeconds(process.Restarts <= 1 ? 0 : Math.Min(60, Math.Pow(2, process.Restarts - 2))));
    }

    /// <summary>It runs on and fails its health checks for a while.</summary>
    public void Sicken(Process process, TimeSpan duration)
    {
        if (!process.Healthy) return;
        (process.Healthy, process.Reason) = (false, "its health check fails");
        say(process);
        Then(process, duration, Recover);
    }

    /// <summary>A VM loses its power: whatever runs there is gone at once.</summary>
    public void PowerOff(Engine engine, string reason)
    {
        foreach (var process in engine.Processes.Values.Where(p => p.Ended is null)) Down(process, reason);
    }

    /// <summary>It is back: what should run there is started again.</summary>
    public void PowerOn(Engine engine)
    {
        foreach (var process in engine.Processes.Values.Where(p => p.Ended is null).ToList())
            if (process.Stopping) End(process, ContainerState.Stopped, null);
            else Start(process, TimeSpan.Zero);
        Reconcile(engine);
    }

    /// <summary>Ends the container that takes most memory when next to none is left.</summary>
    public void Guard(Utilization utilization)
    {
        if (utilization.Memory < MemoryGone) return;
        if (machine.Processes.Where(p => p.Runs && !p.Stopping).MaxBy(p => p.Takes.MemoryMiB) is { } biggest)
            End(biggest, ContainerState.Failed, "stopped by its agent: the server's memory is gone");
    }

    private void Start(Process process, TimeSpan delay)
    {
        process.Turn++;
        say(process);
        Then(process, delay + TimeSpan.FromSeconds(0.2 + 0.6 * random.NextDouble()), Run);
    }

    private void Run(Process process)
    {
        (process.Runs, process.StartedAt, process.Reason) = (true, time.Now + machine.ClockSkew, process.Restarts > 0 ? process.Reason : null);
        machine.Started(process);
        say(process);
        var slow = random.NextDouble() < 0.05;
        var seconds = slow ? 3 + 7 * random.NextDouble() : 0.3 + 2 * random.NextDouble();
        if (process.Spec.Image.StartsWith(Crashing, StringComparison.Ordinal)) Then(process, TimeSpan.FromSeconds(seconds), p => Crash(p, "exited with code 1"));
        else if (!process.Spec.Image.StartsWith(Bad, StringComparison.Ordinal)) Then(process, TimeSpan.FromSeconds(seconds), Recover);
    }

    private void Recover(Process process)
    {
        (process.Healthy, process.Reason) = (true, null);
        say(process);
    }

    /// <summary>SIGTERM: some end soon, some take their whole grace.</summary>
    private void Stop(Process process)
    {
        if (process.Stopping || process.Ended is not null) return;
        process.Stopping = true;
        process.Turn++;
        var grace = process.Runs ? Math.Min(process.Spec.StopGraceSeconds, 0.1 + 12 * Math.Pow(random.NextDouble(), 4)) : 0;
        Then(process, TimeSpan.FromSeconds(grace), p => End(p, ContainerState.Stopped, null));
    }

    private void End(Process process, ContainerState state, string? reason)
    {
        Down(process, reason);
        process.Ended = state;
        say(process);
        if (process.Engine.Desired?.Containers.Any(c => c.Id == process.Id) != true) process.Engine.Processes.Remove(process.Id);
    }

    private void Down(Process process, string? reason)
    {
        process.Turn++;
        (process.Runs, process.Healthy, process.Reason) = (false, false, reason);
        machine.Changed();
        say(process);
    }

    private void Then(Process process, TimeSpan delay, Action<Process> act)
    {
        var turn = process.Turn;
        time.After(delay, () =>
        {
            if (process.Turn == turn) act(process);
        });
    }
}
