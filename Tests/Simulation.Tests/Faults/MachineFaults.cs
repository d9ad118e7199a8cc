using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Faults;

/// <summary>What goes wrong with servers, their agents, VMs, containers and primaries. Durations lie on both sides of <c>lostAfter</c>.</summary>
internal sealed class MachineFaults(Region region, Random random, Action<double, Action> last)
{
    private readonly List<Agent> _agents = [];

    public IEnumerable<FaultKind> Kinds =>
    [
        new("servers crash", 40, true, Crash),
        new("agents are killed", 40, true, KillAgent),
        new("partitions", 6, false, Partition),
        new("VMs die", 60, true, KillVm),
        new("containers crash", 300, true, CrashContainer),
        new("containers get sick", 100, true, SickenContainer),
        new("links are slow", 40, true, SlowLink),
        new("links lose reports", 40, true, LossyLink),
        new("primaries jump", 250, true, Jump),
        new("hot hours", 1.2, false, HotHour),
    ];

    private List<Agent> Agents
    {
        get
        {
            if (_agents.Count == 0) _agents.AddRange(region.Agents);
            return _agents;
        }
    }

    private void Crash()
    {
        if (AnyHealthy() is not { } agent) return;
        agent.PowerOff();
        last(ShortOrLong(2, 8, 15, 200), agent.PowerOn);
    }

    private void KillAgent()
    {
        if (AnyHealthy() is not { } agent) return;
        agent.Kill();
        last(ShortOrLong(0.5, 8, 12, 60), () =>
        {
            if (!agent.Alive) agent.Revive();
        });
    }

    private void Partition()
    {
        var (first, size) = (random.Next(Agents.Count), random.Next(2, Math.Max(3, Agents.Count / 16)));
        var group = Enumerable.Range(first, size).Select(i => Agents[i % Agents.Count]).Where(a => !a.Partitioned).ToList();
        foreach (var agent in group) agent.Cut();
        last(ShortOrLong(1, 9, 12, 90), () => group.ForEach(agent => agent.Heal()));
    }

    private void KillVm()
    {
        if (AnyHealthy() is not { } agent) return;
        var engine = Pick(agent.Machine.Engines);
        if (!engine.Ready) return;
        (engine.Ready, engine.Gone, engine.Reason) = (false, random.NextDouble() < 0.15, "its engine has exited");
        agent.Lifecycle.PowerOff(engine, "its engine has exited");
        last(ShortOrLong(1.5, 8, 12, 100), () =>
        {
            (engine.Ready, engine.Gone, engine.Reason) = (true, false, null);
            if (agent.Machine.Powered) agent.Lifecycle.PowerOn(engine);
        });
    }

    private void CrashContainer()
    {
        if (AnyProcess() is { } process) region.Agent(process.Server).Lifecycle.Crash(process.Process, "exited with code 137");
    }

    private void SickenContainer()
    {
        if (AnyProcess() is { } process) region.Agent(process.Server).Lifecycle.Sicken(process.Process, TimeSpan.FromSeconds(2 + 40 * random.NextDouble()));
    }

    private void SlowLink()
    {
        var agent = Pick(Agents);
        agent.Lag = TimeSpan.FromSeconds(0.3 + 6 * random.NextDouble());
        last(10 + 50 * random.NextDouble(), () => agent.Lag = TimeSpan.Zero);
    }

    private void LossyLink()
    {
        var agent = Pick(Agents);
        agent.Loss = 0.3 + 0.7 * random.NextDouble();
        last(5 + 35 * random.NextDouble(), () => agent.Loss = 0);
    }

    private void Jump()
    {
        var load = Pick(Agents).Machine.Load;
        var (cpu, memory) = random.NextDouble() < 0.8 ? (0.2 + 0.6 * random.NextDouble(), 0.0) : (0.1, 0.2 + 0.5 * random.NextDouble());
        (load.JumpCpu, load.JumpMemory) = (load.JumpCpu + cpu, load.JumpMemory + memory);
        last(3 + 90 * random.NextDouble(), () => (load.JumpCpu, load.JumpMemory) = (load.JumpCpu - cpu, load.JumpMemory - memory));
    }

    private void HotHour()
    {
        foreach (var agent in Agents) agent.Machine.Load.JumpCpu += 0.5;
        last(60, () => Agents.ForEach(agent => agent.Machine.Load.JumpCpu -= 0.5));
    }

    private Agent? AnyHealthy() => Pick(Agents) is { Works: true } agent ? agent : null;

    private (string Server, Process Process)? AnyProcess()
    {
        for (var tries = 0; tries < 20; tries++)
        {
            var machine = Pick(Agents).Machine;
            var running = machine.Processes.Where(p => p.Runs).ToList();
            if (running.Count > 0) return (machine.Name, Pick(running));
        }
        return null;
    }

    private T Pick<T>(IReadOnlyList<T> list) => list[random.Next(list.Count)];

    private double ShortOrLong(double shortest, double @short, double @long, double longest) => random.NextDouble() < 0.5
        ? shortest + (@short - shortest) * random.NextDouble()
        : @long + (longest - @long) * random.NextDouble();
}
