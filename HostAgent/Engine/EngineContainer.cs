namespace Hosting.HostAgent.Engine;

/// <summary>Where a container stands in its engine.</summary>
internal enum Presence
{
    /// <summary>Not looked at yet.</summary>
    Unknown,

    /// <summary>The engine does not have it.</summary>
    Absent,

    /// <summary>Made, never started.</summary>
    Created,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Its process has ended.</summary>
    Exited,
}

/// <summary>A container of ours, as its engine shows it.</summary>
internal sealed record EngineContainer
{
    /// <summary>The platform's id, which is its name in the engine.</summary>
    public required string Id { get; init; }

    public required Presence Presence { get; init; }

    /// <summary>The engine's own id, after which its control group is named; empty when the engine was not asked.</summary>
    public string EngineId { get; init; } = "";

    /// <summary>Port of the VM that leads to it.</summary>
    public int Port { get; init; }

    public long ExitCode { get; init; }

    public bool OutOfMemory { get; init; }

    /// <summary>The last lines that an ended process wrote, short enough to be shown; null when it wrote none or nobody asked.</summary>
    public string? LastLines { get; init; }

    /// <summary>When its process started last; null when it never did or the engine was not asked.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public string App { get; init; } = "";

    public int Revision { get; init; }

    /// <summary>Seconds between SIGTERM and SIGKILL.</summary>
    public int StopGraceSeconds { get; init; }
}

/// <summary>How a call to an engine ended.</summary>
internal enum EngineOutcome
{
    Done,

    /// <summary>The engine has no such image.</summary>
    NoSuchImage,

    /// <summary>The engine has no such container.</summary>
    NoSuchContainer,

    /// <summary>The port to publish is in use.</summary>
    PortTaken,

    /// <summary>The engine refused, or could not.</summary>
    Refused,

    /// <summary>The engine did not answer in time or at all: what it did is unknown.</summary>
    Unreachable,
}

/// <summary>How a call to an engine ended, with its reason when it failed.</summary>
internal readonly record struct EngineResult(EngineOutcome Outcome, string? Reason = null)
{
    public static EngineResult Done { get; } = new(EngineOutcome.Done);
}
