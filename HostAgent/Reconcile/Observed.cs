using Hosting.HostAgent.Engine;

namespace Hosting.HostAgent.Reconcile;

/// <summary>What is waited for between two tries.</summary>
internal enum Work
{
    None,

    /// <summary>Looking at the container.</summary>
    Inspect,

    /// <summary>Bringing it up.</summary>
    Run,

    /// <summary>Taking it away.</summary>
    CleanUp,
}

/// <summary>What is known of one container on its VM. Immutable; <see cref="ContainerStep"/> makes the next one.</summary>
internal sealed record Observed
{
    public required string Id { get; init; }

    public Presence Presence { get; init; }

    /// <summary>The engine's own id of it; empty while that is not known.</summary>
    public string EngineId { get; init; } = "";

    /// <summary>Why the server gave it up for good; null as long as it has not.</summary>
    public string? Failure { get; init; }

    /// <summary>Something happened to it since it was looked at.</summary>
    public bool Stale { get; init; }

    /// <summary>Port of the VM that leads to it; 0 when it has none.</summary>
    public int Port { get; init; }

    /// <summary>When its process started last.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Whether its process ever ran: its state then never goes back to starting.</summary>
    public bool HasRun { get; init; }

    /// <summary>Restarts in place since it last ran for a while.</summary>
    public int Restarts { get; init; }

    /// <summary>Failed tries in a row of the work under way.</summary>
    public int Failures { get; init; }

    /// <summary>What waits until <see cref="RetryAt"/>; other work need not.</summary>
    public Work Waiting { get; init; }

    public DateTimeOffset RetryAt { get; init; }

    /// <summary>The engine lacks its image.</summary>
    public bool ImageMissing { get; init; }

    /// <summary>Its port turned out to be in use: it has to be made again with another.</summary>
    public bool PortTaken { get; init; }

    /// <summary>Why it does not run, or what happened to it last.</summary>
    public string? Reason { get; init; }

    public string App { get; init; } = "";

    public int Revision { get; init; }

    public int StopGraceSeconds { get; init; }

    /// <summary>Whether traffic may reach it.</summary>
    public bool IsRunning => Presence == Presence.Running;
}
