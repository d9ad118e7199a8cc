using Hosting.HostAgent.Health;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>One container in the reconciler's hands; every field is guarded by the reconciler's lock.</summary>
internal sealed class ContainerEntry(string id) : IDisposable
{
    public DesiredContainer? Desired { get; set; }

    public Observed Observed { get; set; } = new() { Id = id };

    /// <summary>Checks of the run under way; null when it does not run.</summary>
    public HealthWatch? Health { get; set; }

    /// <summary>Whether somebody works on it.</summary>
    public bool Busy { get; set; }

    /// <summary>Raised by every event, so that one that comes during an operation is not lost.</summary>
    public int Events { get; set; }

    /// <summary>Wakes it when its waiting is over.</summary>
    public ITimer? Timer { get; set; }

    public string Id => id;

    public HealthState HealthState => Health?.State ?? default;

    /// <summary>Whether what is known is what is.</summary>
    public bool IsSettled => Observed.Presence != Engine.Presence.Unknown && !Observed.Stale
        && (Health is null || HealthState.Healthy || HealthState.Reason is not null);

    public void Dispose()
    {
        Health?.Dispose();
        Timer?.Dispose();
        (Health, Timer) = (null, null);
    }
}
