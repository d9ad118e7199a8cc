using Hosting.Apps;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Vms;

/// <summary>A VM; the key is <c>region/server/vm</c>. Knows what should run there and what its agent reports there.</summary>
[Alias("hosting.IVmGrain")]
public interface IVmGrain : IGrainWithStringKey
{
    /// <summary>Its agent connected: what it reports is reconciled with what should run, and the desired state is sent.</summary>
    [Alias("Attach")] Task Attach(IAgentLink link, IReadOnlyList<ContainerStatus> actual);

    /// <summary>Its agent is gone.</summary>
    [Alias("Detach")] Task Detach();

    /// <summary>Containers that were placed here (durable already).</summary>
    [Alias("Run")] Task Run(IReadOnlyList<ContainerRecord> placed, AppSpec spec);

    /// <summary>Containers that get no more traffic and are to be stopped. Answered once durable.</summary>
    [Alias("Drain")] Task Drain(IReadOnlyList<string> containers);

    /// <summary>Stops containers that are draining: SIGTERM, then SIGKILL after their grace.</summary>
    [Alias("Stop")] Task Stop(IReadOnlyList<string> containers);

    /// <summary>Containers whose record was ended without their agent's word: they are not wanted here any more.</summary>
    [Alias("Forget")] Task Forget(IReadOnlyList<string> containers);

    /// <summary>Containers whose state changed here. Answered once durable.</summary>
    [Alias("Report")] Task Report(IReadOnlyList<ContainerStatus> changed);

    /// <summary>Reads its deployment records again: what ended meanwhile without its agent's word is taken off there.</summary>
    [Alias("Refresh")] Task Refresh();

    /// <summary>
    /// The version of the desired state its agent works on; an older one is sent again. False when it cannot reach its agent,
    /// because it moved since: it has to be attached again.
    /// </summary>
    [Alias("Applied")] Task<bool> Applied(long version);
}

/// <summary>The whole of what should run in a VM.</summary>
[GenerateSerializer, Alias("hosting.DesiredVm")]
public sealed record DesiredVm
{
    /// <summary>Name of the VM.</summary>
    [Id(0)] public required string Vm { get; init; }

    /// <summary>Higher is newer, over activations too.</summary>
    [Id(1)] public required long Version { get; init; }

    /// <summary>Every container; one that runs and is not here is an orphan, to be removed.</summary>
    [Id(2)] public required IReadOnlyList<DesiredContainer> Containers { get; init; }
}

/// <summary>A container that should run, or be stopped, in a VM.</summary>
[GenerateSerializer, Alias("hosting.DesiredContainer")]
public sealed record DesiredContainer
{
    /// <summary>Id of the container.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>Name of its app.</summary>
    [Id(1)] public required string App { get; init; }

    /// <summary>Revision of the app.</summary>
    [Id(2)] public required int Revision { get; init; }

    /// <summary>What it runs.</summary>
    [Id(3)] public required AppSpec Spec { get; init; }

    /// <summary>It is to be stopped with its grace, and reported as stopped.</summary>
    [Id(4)] public bool Stop { get; init; }
}

/// <summary>A container as its agent sees it.</summary>
[GenerateSerializer, Alias("hosting.ContainerStatus")]
public sealed record ContainerStatus
{
    /// <summary>Name of its VM.</summary>
    [Id(0)] public required string Vm { get; init; }

    /// <summary>Id of the container.</summary>
    [Id(1)] public required string Id { get; init; }

    /// <summary><see cref="ContainerState.Starting"/>, <see cref="ContainerState.Running"/>, <see cref="ContainerState.Stopped"/> or <see cref="ContainerState.Failed"/>.</summary>
    [Id(2)] public required ContainerState State { get; init; }

    /// <summary>Whether it passes its health check.</summary>
    [Id(3)] public bool Healthy { get; init; }

    /// <summary>Where gateways reach it; null until it has started.</summary>
    [Id(4)] public string? Endpoint { get; init; }

    /// <summary>Why it does not run or is not healthy; null when it does and is.</summary>
    [Id(5)] public string? Reason { get; init; }

    /// <summary>When its process started last, by the server's clock; null before.</summary>
    [Id(6)] public DateTimeOffset? StartedAt { get; init; }
}
