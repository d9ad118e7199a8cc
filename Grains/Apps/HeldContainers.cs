using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>Containers that should leave their server under pressure and cannot. In memory only: who says so repeats it.</summary>
internal sealed class HeldContainers
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(IReplicaSetGrain.HeldSeconds);

    private readonly Dictionary<string, (string Reason, DateTimeOffset Until)> _held = new(StringComparer.Ordinal);

    public void Note(IReadOnlyList<ContainerMove> held, DateTimeOffset now)
    {
        foreach (var move in held)
            _held[move.Container] = (move.Reason, now + Kept);
    }

    /// <summary>The app's share there is degraded as long as one of its containers is held, unless something worse is said already.</summary>
    public ReplicaSetStatus AddTo(ReplicaSetStatus status, DateTimeOffset now)
    {
        foreach (var (id, held) in _held)
            if (held.Until < now)
                _held.Remove(id);
        return status.Stuck is null && _held.Count > 0
            ? status with { Stuck = _held.Select(h => $"{h.Key} {h.Value.Reason}").Order(StringComparer.Ordinal).First() }
            : status;
    }
}
