using Hosting.Simulation.Tests.ControlPlane;

namespace Hosting.Simulation.Tests.Faults;

/// <summary>
/// Strikes at random times with random faults, each kind about as often as it says, and takes all of them back when its time
/// is over.
/// </summary>
internal sealed class FaultPlan
{
    private readonly Region _region;
    private readonly Random _random;
    private readonly IReadOnlyList<FaultKind> _kinds;
    private readonly List<Action> _healings = [];
    private DateTimeOffset _until;

    /// <param name="region">What it strikes.</param>
    /// <param name="random">Of its own.</param>
    public FaultPlan(Region region, Random random)
    {
        (_region, _random) = (region, random);
        _kinds = [.. new MachineFaults(region, random, Last).Kinds, .. new ControlPlaneFaults(region, random, Last).Kinds, .. new UserFaults(region, random, Last).Kinds];
    }

    /// <summary>Faults from now on, for so long.</summary>
    /// <param name="duration">How long.</param>
    /// <param name="day">A kind strikes as often as it says in this time.</param>
    public void Begin(TimeSpan duration, TimeSpan day)
    {
        _until = _region.Now + duration;
        (_region.Network.Loss, _region.CommitLoss) = (0.002, 0.001);
        foreach (var kind in _kinds) Next(kind, day);
        _region.Time.At(_until, Stop);
    }

    private void Next(FaultKind kind, TimeSpan day)
    {
        var share = Math.Max(1, _region.Agents.Count) / 1000.0;
        var delay = day * (-Math.Log(1 - _random.NextDouble()) / (kind.PerDay * (kind.PerServer ? share : 1)));
        if (_region.Now + delay >= _until) return;
        _region.Time.After(delay, () =>
        {
            _region.Watch.Tally.Faults[kind.Name] = _region.Watch.Tally.Faults.GetValueOrDefault(kind.Name) + 1;
            kind.Strike();
            Next(kind, day);
        });
    }

    /// <summary>Takes a fault back after a while, and at the latest when faults stop.</summary>
    private void Last(double seconds, Action heal)
    {
        var healed = false;
        _healings.Add(Once);
        _region.Time.After(TimeSpan.FromSeconds(seconds), Once);

        void Once()
        {
            if (healed) return;
            healed = true;
            heal();
        }
    }

    private void Stop()
    {
        (_region.Network.Loss, _region.CommitLoss) = (0, 0);
        foreach (var heal in _healings) heal();
        _healings.Clear();
    }
}

/// <summary>A kind of fault.</summary>
/// <param name="Name">For the output, in the plural.</param>
/// <param name="PerDay">How often in a day of 1,000 servers.</param>
/// <param name="PerServer">Whether fewer servers have fewer of them.</param>
/// <param name="Strike">Lets one happen.</param>
internal sealed record FaultKind(string Name, double PerDay, bool PerServer, Action Strike);
