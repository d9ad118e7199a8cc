using Hosting.Apps;
using Hosting.Placement;

namespace Hosting.Domain.Rollouts;

/// <summary>
/// Plans one step from what is there to what is wanted. Between steps containers become healthy or fail, and the plan is
/// made again: so it needs no memory, and a new spec, another number or a move in the middle just turns it.
/// </summary>
/// <remarks>
/// Containers are of four kinds. Current: of the revision that is wanted. Old: of any other. Leaving: asked to move, of
/// whatever revision; each goes only once a replacement has taken its place, so there is room beyond the wanted number for
/// all of them, up to <see cref="MovesAtOnce"/>: a server that needs its room must not wait for one replica after the other. Lost: asked to move because nobody hears from them; they count for nothing, and a lost one that gets
/// traffic keeps it until enough others are healthy.
/// <para>
/// Two bounds hold at every step. Never more than <c>replicas + maxSurge</c> (while something leaves, <c>replicas</c> and as
/// many as leave, if that is more) containers that are neither draining nor lost, except those that are there already. Of those that get traffic,
/// none is drained that would leave fewer than <c>replicas - maxUnavailable</c>. A leaving one goes only when all
/// <c>replicas</c> are healthy without it; current ones that are sick although they are older than the progress deadline
/// are not waited for, or one sick replica could hold a server hostage.
/// </para>
/// </remarks>
public static class RolloutPlanner
{
    /// <summary>Most replicas of an app beyond the wanted number that moves alone ask for: as many as an agent works on at once in a VM.</summary>
    public const int MovesAtOnce = 8;

    private static readonly RolloutSpec DefaultBounds = new();

    /// <summary>The next step.</summary>
    public static RolloutPlan Plan(RolloutSnapshot snapshot)
    {
        var wanted = snapshot.Wanted;
        var replicas = wanted.Retired ? 0 : wanted.Replicas;
        var bounds = wanted.Spec.Rollout ?? DefaultBounds;
        var kinds = ContainerKinds.Of(snapshot);
        var surge = Math.Max(bounds.MaxSurge, Math.Min(kinds.Leaving.Count, MovesAtOnce));
        var place = Math.Clamp(replicas - kinds.Current.Count, 0, Math.Max(0, replicas + surge - kinds.Here));
        var missing = Math.Max(0, replicas - kinds.Current.Count - kinds.Leaving.Count);
        var expected = Math.Max(0, replicas - kinds.Sick(snapshot.Now - TimeSpan.FromSeconds(bounds.ProgressDeadlineSeconds)));
        return new RolloutPlan(
            snapshot.Serving ?? wanted.Revision, place, place - Math.Min(place, missing),
            new Drains(kinds, replicas, expected, Math.Max(0, replicas - bounds.MaxUnavailable)).Choose(),
            ChooseEnds(kinds, expected));
    }

    // What is lost and draining, or lost and without traffic, is of use to nobody.
    private static List<string> ChooseEnds(ContainerKinds kinds, int expected)
    {
        var keep = Math.Max(0, expected - kinds.Healthy);
        var serving = ContainerKinds.ByAge(kinds.Lost.Where(c => c.GetsTraffic)).SkipLast(keep);
        return [.. kinds.Lost.Where(c => !c.GetsTraffic).Concat(serving).Select(c => c.Id)];
    }

    /// <summary>Chooses what to drain, keeping count of what stays.</summary>
    private sealed class Drains(ContainerKinds kinds, int replicas, int expected, int floor)
    {
        private readonly List<string> _chosen = [];
        private int _healthy = kinds.Healthy;
        private int _here = kinds.Here;

        public List<string> Choose()
        {
            Take(kinds.Old, old => !old.GetsTraffic);
            // Replacement first: one that serves goes when enough are healthy without it, any other when enough are there.
            Take(kinds.Leaving, leaving => leaving.GetsTraffic ? _healthy > expected : _here > replicas);
            Take(kinds.Old, old => old.GetsTraffic && _healthy > floor);
            var surplus = ContainerKinds.InDrainOrder(kinds.Current).Take(Math.Max(0, kinds.Current.Count - replicas));
            Take(surplus, current => !current.GetsTraffic || _healthy > floor);
            return _chosen;
        }

        private void Take(IEnumerable<ContainerRecord> candidates, Predicate<ContainerRecord> mayGo)
        {
            foreach (var candidate in ContainerKinds.InDrainOrder(candidates).Where(c => mayGo(c)))
            {
                _chosen.Add(candidate.Id);
                _here--;
                _healthy -= candidate.GetsTraffic ? 1 : 0;
            }
        }
    }
}
