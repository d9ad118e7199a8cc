using Hosting.Apps;
using Hosting.Domain.Rollouts;
using Hosting.Placement;

namespace Hosting.Domain.Tests.Rollouts;

/// <summary>
/// A region in miniature: the planner steps, and between its steps containers become healthy, fail, are lost or asked to
/// leave. It checks every plan against the bounds, with sums of its own.
/// </summary>
internal sealed class RolloutWorld(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<ContainerRecord> _live = [];
    private readonly Dictionary<string, MoveCause> _moves = [];
    private readonly HashSet<int> _bad = [];
    private int _next;

    public DateTimeOffset Now { get; private set; } = DateTimeOffset.UnixEpoch;

    public ReplicaSetSpec Wanted { get; private set; } = Spec(1, 1, 1, 0);

    /// <summary>The revision to stay at after a stop.</summary>
    public int? Serving { get; private set; }

    public IReadOnlyList<ContainerRecord> Live => _live;

    public IReadOnlyDictionary<string, MoveCause> Moves => _moves;

    public RolloutSnapshot Snapshot => new() { Wanted = Wanted, Containers = [.. _live], Now = Now, Moves = _moves, Serving = Serving };

    public static ReplicaSetSpec Spec(int revision, int replicas, int surge, int unavailable, int deadline = 60) => new()
    {
        Revision = revision,
        Generation = revision,
        Replicas = replicas,
        Spec = new AppSpec
        {
            Image = "shop:1",
            Port = 80,
            Replicas = replicas,
            Rollout = new RolloutSpec { MaxSurge = surge, MaxUnavailable = unavailable, ProgressDeadlineSeconds = deadline },
        },
    };

    /// <summary>Another spec; a stopped rollout begins anew with another revision only.</summary>
    public void Want(ReplicaSetSpec wanted)
    {
        if (wanted.Revision != Wanted.Revision)
            Serving = null;
        Wanted = wanted;
    }

    /// <summary>Containers of that revision never become healthy.</summary>
    public void Break(int revision) => _bad.Add(revision);

    /// <summary>Stops the rollout in favour of what serves.</summary>
    public void Stop() => Serving ??= Rollout.ServingBeside(Wanted.Revision, _live, null);

    public void Ask(string container, MoveCause cause) => _moves[container] = cause;

    public void TakeBack(string container) => _moves.Remove(container);

    public void Sicken(string container) => Set(container, c => c with { Healthy = false, Reason = "exited with code 1" });

    public void Fail(string container) => _live.RemoveAll(c => c.Id == container);

    public ContainerRecord? Any(Func<ContainerRecord, bool>? which = null)
    {
        var some = _live.Where(which ?? (_ => true)).ToList();
        return some.Count == 0 ? null : some[_random.Next(some.Count)];
    }

    /// <summary>One plan, carried out and checked; then one container makes progress.</summary>
    public void Step()
    {
        var plan = RolloutPlanner.Plan(Snapshot);
        Check(plan);
        for (var i = 0; i < plan.Place; i++)
            _live.Add(New(plan.Revision));
        foreach (var id in plan.Drain)
            Set(id, c => c with { State = ContainerState.Draining });
        foreach (var id in plan.End)
            Fail(id);
        Now += TimeSpan.FromSeconds(1);
        Progress();
    }

    /// <summary>Without further faults, until nothing is left to do.</summary>
    public void Settle()
    {
        for (var steps = 0; steps < 3_000; steps++)
        {
            if (RolloutPlanner.Plan(Snapshot).IsEmpty && _live.All(c => c.GetsTraffic))
                return;
            Step();
        }
        Assert.Fail($"not settled: {string.Join(", ", _live.Select(c => $"{c.Revision}/{c.State}/{c.Healthy}/{_moves.GetValueOrDefault(c.Id)}"))}");
    }

    private void Check(RolloutPlan plan)
    {
        var here = _live.Where(c => c.State < ContainerState.Draining && !IsLost(c)).ToList();
        var healthy = here.Count(c => c.GetsTraffic);
        var drained = here.Where(c => plan.Drain.Contains(c.Id)).ToList();
        var replicas = Wanted.Retired ? 0 : Wanted.Replicas;
        var bounds = Wanted.Spec.Rollout!;
        var revision = Serving ?? Wanted.Revision;
        var sick = here.Count(c => !c.GetsTraffic && c.Revision == revision && !_moves.ContainsKey(c.Id)
            && Now - c.CreatedAt > TimeSpan.FromSeconds(bounds.ProgressDeadlineSeconds));
        var left = healthy - drained.Count(c => c.GetsTraffic);
        var floor = Math.Max(0, replicas - bounds.MaxUnavailable);

        Assert.Equal(plan.Drain.Count, drained.Count);
        Assert.Equal(revision, plan.Revision);
        Assert.All(drained.Where(c => c.GetsTraffic && !_moves.ContainsKey(c.Id)).Take(1), _ => Assert.True(left >= floor, "fewer serve than the floor"));
        Assert.All(drained.Where(c => c.GetsTraffic).Take(1), _ => Assert.True(left >= Math.Min(floor, replicas - sick), "one left without a replacement"));
        var surge = Math.Max(bounds.MaxSurge, Math.Min(here.Count(c => _moves.ContainsKey(c.Id)), 8));
        Assert.True(plan.Place == 0 || here.Count + plan.Place <= replicas + surge, "more than the ceiling");
        Assert.InRange(plan.ForMoves, 0, plan.Place);
        Assert.All(plan.End, id => Assert.True(IsLost(Find(id)), "only what is lost is given up"));
        if (plan.End.Select(Find).Any(c => c.GetsTraffic))
            Assert.True(healthy + _live.Count(c => IsLost(c) && c.GetsTraffic && !plan.End.Contains(c.Id)) >= replicas - sick, "lost traffic without a replacement");
        if (Serving is not null)
            Assert.True(drained.Count(c => c.GetsTraffic && c.Revision == revision && !_moves.ContainsKey(c.Id)) <= Math.Max(0, here.Count(c => c.Revision == revision) - replicas),
                "a stopped rollout took a healthy old one away");
    }

    private void Progress()
    {
        if (Any(c => !IsLost(c)) is not { } chosen)
            return;
        if (chosen.State == ContainerState.Draining)
            _live.Remove(chosen);
        else if (!_bad.Contains(chosen.Revision))
            Set(chosen.Id, c => c with { State = ContainerState.Running, Healthy = true, Endpoint = "10.0.0.1:80", Reason = null });
    }

    private bool IsLost(ContainerRecord container) => _moves.TryGetValue(container.Id, out var cause) && cause == MoveCause.Lost;

    private ContainerRecord Find(string id) => _live.Single(c => c.Id == id);

    private ContainerRecord New(int revision) => new()
    {
        Id = $"shop-{_next++}",
        App = "shop",
        Revision = revision,
        Region = "eu-1",
        Server = "srv-01",
        Vm = "vm-1",
        Demand = new Demand(100, 64),
        State = ContainerState.Placed,
        CreatedAt = Now,
    };

    private void Set(string id, Func<ContainerRecord, ContainerRecord> change)
    {
        var index = _live.FindIndex(c => c.Id == id);
        if (index >= 0)
            _live[index] = change(_live[index]);
    }
}
