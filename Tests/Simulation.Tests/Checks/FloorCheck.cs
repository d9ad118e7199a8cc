using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>
/// The bounds of a rollout, counted from what its app knows: nothing that serves is drained when fewer than the floor would be
/// left, and nothing is placed over the ceiling. What is lost serves nobody, whatever its record says.
/// </summary>
internal sealed class FloorCheck(Func<DateTimeOffset> now, Action<string, string> fail)
{
    /// <summary>Most replicas of an app beyond the wanted number that moves alone may ask for.</summary>
    private const int MovesAtOnce = 8;

    public void Planned(
        ReplicaSetSpec wanted, IReadOnlyCollection<ContainerRecord> containers, IReadOnlyDictionary<string, MoveCause> moves, RolloutPlan plan)
    {
        var bounds = wanted.Spec.Rollout ?? new RolloutSpec();
        var replicas = wanted.Retired ? 0 : wanted.Replicas;
        var here = containers.Where(c => moves.GetValueOrDefault(c.Id, MoveCause.Drain) != MoveCause.Lost && c.State < ContainerState.Draining).ToList();
        CheckFloor(replicas - bounds.MaxUnavailable, bounds, here, moves, plan);
        var surge = Math.Max(bounds.MaxSurge, Math.Min(here.Count(c => moves.ContainsKey(c.Id)), MovesAtOnce));
        if (plan.Place > 0 && here.Count + plan.Place > replicas + surge)
            fail("never over the ceiling", $"{Name(containers)}: {plan.Place} more beside {here.Count}, wanted {replicas} and {surge}");
    }

    private void CheckFloor(
        int floor, RolloutSpec bounds, List<ContainerRecord> here, IReadOnlyDictionary<string, MoveCause> moves, RolloutPlan plan)
    {
        var drained = here.Where(c => plan.Drain.Contains(c.Id) && c.GetsTraffic).ToList();
        if (drained.Count == 0) return;
        var left = here.Count(c => c.GetsTraffic) - drained.Count;
        // One that has to leave does not wait for replicas that have been sick for longer than the deadline.
        var sick = drained.Exists(c => moves.ContainsKey(c.Id))
            ? here.Count(c => !c.GetsTraffic && now() - c.CreatedAt > TimeSpan.FromSeconds(bounds.ProgressDeadlineSeconds))
            : 0;
        if (left < floor - sick)
            fail("never below the floor by our own doing", $"{Name(here)}: {left} left, floor {floor}, {sick} sick for long, {drained.Count} drained");
    }

    private static string Name(IEnumerable<ContainerRecord> containers) => containers.FirstOrDefault()?.App ?? "an app";
}
