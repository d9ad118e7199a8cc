using Hosting.Apps;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Simulation.Tests.ControlPlane;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>Everything that looks on from outside: the first rule that is broken ends the simulation.</summary>
internal sealed class Watch
{
    private readonly Region _region;
    private readonly AdmissionCheck _admission;

    /// <param name="region">What it looks at.</param>
    /// <param name="policy">What the region should keep to.</param>
    public Watch(Region region, RegionPolicy policy)
    {
        _region = region;
        _admission = new AdmissionCheck(Books, policy.Thresholds, Fail);
        Budget = new BudgetCheck(policy, () => region.Now, Fail);
        Flaps = new FlapCheck(TimeSpan.FromSeconds(policy.CooldownSeconds), Fail);
        Floor = new FloorCheck(() => region.Now, Fail);
        Drains = new DrainCheck(id => region.Database.Find(id), Fail);
    }

    public Violation? First { get; private set; }

    public Books Books { get; } = new();

    public BudgetCheck Budget { get; }

    public FlapCheck Flaps { get; }

    public FloorCheck Floor { get; }

    public DrainCheck Drains { get; }

    public Tally Tally { get; } = new();

    public void Fail(string rule, string message) => First ??= new Violation(rule, message, _region.Time.Seconds);

    /// <summary>Decided, and not durable yet.</summary>
    public void Placed(ContainerRecord record)
    {
        Tally.Placements++;
        _admission.Placed(record, _region.Now);
        Flaps.Placed(record, _region.Now);
        Books.Placed(record);
    }

    /// <summary>Durable from now on.</summary>
    public void Committed(ContainerRecord record)
    {
        if (!Books.IsPending(record.Id)) Fail("only the newest placement commits", $"{record.Id} on {record.Server}/{record.Vm}");
        Books.Committed(record);
    }

    public void Ended(ContainerRecord record)
    {
        Books.Ended(record);
        Budget.Ended(record.Id);
    }

    /// <summary>A server may begin a move, or go on with it. It may ask late, about one that is over: that moves no more.</summary>
    public void Granted(string container, bool exempt)
    {
        if (_region.Database.Find(container) is not null) Budget.Granted(container, exempt);
    }

    public void PlacementRestarted()
    {
        Tally.PlacementRestarts++;
        Books.ForgetPending();
        Budget.PlacementRestarted();
    }

    /// <summary>An app was asked to move a container.</summary>
    public void AskedToMove(ContainerRecord container, MoveCause cause)
    {
        if (cause == MoveCause.Lost) Tally.Losses++;
        if (cause == MoveCause.Drain) Tally.Drains++;
        if (cause != MoveCause.Pressure) return;
        Tally.Evictions++;
        Flaps.Evicted(container, _region.Users.ReplicasOf(container.App), _region.Now);
    }
}
