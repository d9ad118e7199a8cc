using Hosting.Apps;
using Hosting.Placement;
using Hosting.Simulation.Tests.ControlPlane;

namespace Hosting.Simulation.Tests.Checks;

/// <summary>Everything that looks on from outside: the first rule that is broken ends the simulation.</summary>
internal sealed class Watch
{
    private readonly Region _region;
    private readonly AdmissionCheck _admission;

    public Watch(Region region)
    {
        _region = region;
        _admission = new AdmissionCheck(Books, region.Policy.Thresholds, Fail);
        Budget = new BudgetCheck(region.Policy, () => region.Now, Fail);
        Flaps = new FlapCheck(TimeSpan.FromSeconds(region.Policy.CooldownSeconds), Fail);
        Floor = new FloorCheck(() => region.Now, Fail);
    }

    public Violation? First { get; private set; }

    public Books Books { get; } = new();

    public BudgetCheck Budget { get; }

    public FlapCheck Flaps { get; }

    public FloorCheck Floor { get; }

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

    public void Committed(ContainerRecord record) => Books.Committed(record);

    public void Ended(ContainerRecord record)
    {
        Books.Ended(record);
        Budget.Ended(record.Id);
    }

    public void PlacementRestarted()
    {
        Tally.PlacementRestarts++;
        Books.ForgetPending();
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
