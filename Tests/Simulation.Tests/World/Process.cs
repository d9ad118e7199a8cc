using Hosting.Apps;
using Hosting.Placement;
using Hosting.Vms;

namespace Hosting.Simulation.Tests.World;

/// <summary>What really runs of a container, whatever anybody's records say.</summary>
internal sealed class Process(Engine engine, DesiredContainer wanted, double usage)
{
    public string Id { get; } = wanted.Id;

    public string App { get; } = wanted.App;

    public int Revision { get; } = wanted.Revision;

    public AppSpec Spec { get; } = wanted.Spec;

    public Engine Engine { get; } = engine;

    /// <summary>Whether it takes CPU and memory now.</summary>
    public bool Runs { get; set; }

    public bool Healthy { get; set; }

    /// <summary>It is being stopped, or has to be as soon as its engine is back.</summary>
    public bool Stopping { get; set; }

    /// <summary>How it ended for good; null while it has not.</summary>
    public ContainerState? Ended { get; set; }

    public string? Reason { get; set; }

    /// <summary>By its server's clock.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>Restarts since it last ran well.</summary>
    public int Restarts { get; set; }

    /// <summary>Raised by everything that makes what was planned for it void.</summary>
    public int Turn { get; set; }

    /// <summary>What it takes when nothing holds it back, at most its demand.</summary>
    public Demand Takes { get; } = new((int)(wanted.Spec.CpuMillis * usage), (int)(wanted.Spec.MemoryMiB * (0.5 + usage / 2)));

    /// <summary>What its agent says of it.</summary>
    public ContainerStatus Status => new()
    {
        Vm = Engine.Name,
        Id = Id,
        State = Ended ?? (StartedAt is null ? ContainerState.Starting : ContainerState.Running),
        Healthy = Healthy,
        Endpoint = StartedAt is null ? null : "10.0.0.1:80",
        Reason = Healthy ? null : Reason,
        StartedAt = StartedAt,
    };
}
