using Hosting.Placement;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// No app flaps between servers: none of its containers comes to a server within the cool-down after one was moved away from
/// there under pressure, and an app is moved only so often in an hour.
/// </summary>
internal sealed class FlapCheck(TimeSpan cooldown, Action<string, string> fail)
{
    /// <summary>Moves in an hour for each replica. A replica that moves every ten minutes flaps.</summary>
    private const int MovesPerReplica = 6;

    private const double Rounding = 1e-9;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Dictionary<(string App, string Server), DateTimeOffset> _left = [];
    private readonly Dictionary<string, Queue<(DateTimeOffset At, double PerReplica)>> _moves = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>Most moves of one app in an hour, for each of its replicas.</summary>
    public double MostPerReplica { get; private set; }

    /// <summary>An app was told that a container has to leave its server under pressure.</summary>
    public void Evicted(ContainerRecord container, int replicas, DateTimeOffset now)
    {
        if (!_seen.Add(container.Id)) return;
        _left[(container.App, container.Server)] = now;
        var moves = _moves.TryGetValue(container.App, out var known) ? known : _moves[container.App] = new Queue<(DateTimeOffset At, double PerReplica)>();
        // An app that was scaled down had its earlier moves with the replicas that it had then.
        moves.Enqueue((now, 1.0 / Math.Max(1, replicas)));
        while (now - moves.Peek().At > Hour) moves.Dequeue();
        var perReplica = moves.Sum(move => move.PerReplica);
        MostPerReplica = Math.Max(MostPerReplica, perReplica);
        if (perReplica > MovesPerReplica + Rounding)
            fail("bounded moves per app and hour", $"{container.App} was moved {moves.Count} times in an hour, {perReplica:0.0} times a replica, with {replicas} replicas");
    }

    public void Placed(ContainerRecord container, DateTimeOffset now)
    {
        if (_left.TryGetValue((container.App, container.Server), out var left) && now - left < cooldown)
            fail("never back within the cool-down", $"{container.Id} on {container.Server}, left {(now - left).TotalSeconds:0} s ago");
    }
}
