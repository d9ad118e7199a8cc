using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Faults;

/// <summary>What people do in the middle of it all: deploy, scale, roll out what does not work, close and empty servers.</summary>
internal sealed class UserFaults(Region region, Random random, Action<double, Action> last)
{
    public IEnumerable<FaultKind> Kinds =>
    [
        new("deployments", 250, true, () => Deploy("good")),
        new("bad revisions", 20, true, DeployBad),
        new("scalings", 80, true, Scale),
        new("servers drained", 12, true, () => Close(null, drain: true)),
        new("VMs drained", 12, true, () => Close("vm-1", drain: true)),
        new("servers cordoned", 10, true, () => Close(null, drain: false)),
    ];

    private void Deploy(string image)
    {
        var app = Pick();
        region.Users.Revise(app, UserApp.NewSpec(random) with { Image = image, Replicas = app.Replicas });
    }

    /// <summary>Sooner or later its user sees it, and deploys something better; some leave it as it is.</summary>
    private void DeployBad()
    {
        var app = Pick();
        if (!app.IsGood) return;
        var good = app.Spec;
        region.Users.Revise(app, good with { Image = random.NextDouble() < 0.5 ? Lifecycle.Bad : Lifecycle.Crashing });
        var revision = app.Revision;
        if (random.NextDouble() < 0.5) region.Time.After(TimeSpan.FromSeconds(5 + 100 * random.NextDouble()), Mend);

        void Mend()
        {
            if (app.Revision == revision) region.Users.Revise(app, good with { Replicas = app.Replicas });
        }
    }

    private void Scale()
    {
        var app = Pick();
        region.Users.Scale(app, Math.Max(1, app.Replicas + random.Next(-4, 6)));
    }

    private void Close(string? vm, bool drain)
    {
        var server = region.Agents.ElementAt(random.Next(region.Agents.Count)).Machine.Name;
        if (region.Watch.Books[server].Closed.Count > 0) return;
        region.Users.Close(server, vm, drain);
        last(60 + 140 * random.NextDouble(), () => region.Users.Open(server, vm));
    }

    private UserApp Pick() => region.Users.Apps.ElementAt(random.Next(region.Users.Apps.Count));
}
