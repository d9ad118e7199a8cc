using Hosting.Simulation.Tests.ControlPlane;

namespace Hosting.Simulation.Tests.Faults;

/// <summary>Grains that begin anew elsewhere, alone or with the silo they were on.</summary>
internal sealed class ControlPlaneFaults(Region region, Random random, Action<double, Action> last)
{
    public IEnumerable<FaultKind> Kinds =>
    [
        new("placement grains move", 6, false, region.Placement.Activate),
        new("placement grains live twice", 6, false, LiveTwice),
        new("silos are lost", 4, false, LoseSilo),
        new("server grains move", 30, true, () => Pick(region.Servers).Activate()),
        new("VM grains move", 30, true, () => Pick(region.Vms).Activate()),
        new("replica set grains move", 30, true, () => Pick(region.Apps).Activate()),
    ];

    private void LiveTwice()
    {
        region.Placement.ActivateTwice();
        last(1 + 5 * random.NextDouble(), region.Placement.EndOlder);
    }

    private void LoseSilo()
    {
        foreach (var server in region.Servers.Where(_ => IsHit()).ToList()) server.Activate();
        foreach (var vm in region.Vms.Where(_ => IsHit()).ToList()) vm.Activate();
        foreach (var app in region.Apps.Where(_ => IsHit()).ToList()) app.Activate();
        if (IsHit()) region.Placement.Activate();
    }

    private bool IsHit() => random.NextDouble() < 0.33;

    private T Pick<T>(IReadOnlyCollection<T> all) => all.ElementAt(random.Next(all.Count));
}
