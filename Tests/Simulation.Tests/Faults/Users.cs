using Hosting.Apps;
using Hosting.Placement;
using Hosting.Simulation.Tests.ControlPlane;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.Faults;

/// <summary>People: those who deploy apps, and those who close and open servers. They try again until they are answered.</summary>
internal sealed class Users(Region region)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<string, UserApp> _apps = new(StringComparer.Ordinal);

    public IReadOnlyCollection<UserApp> Apps => _apps.Values;

    public int ReplicasOf(string app) => _apps[app].Replicas;

    public void Deploy(string name, AppSpec spec)
    {
        var app = new UserApp { Name = name, Spec = spec };
        _apps.Add(name, app);
        Tell(app);
    }

    public void Revise(UserApp app, AppSpec spec)
    {
        app.Spec = spec;
        app.Revision++;
        Tell(app);
    }

    public void Scale(UserApp app, int replicas)
    {
        app.Spec = app.Spec with { Replicas = replicas };
        Tell(app);
    }

    /// <summary>Closes a server, or a VM of it, and empties it if that is asked for. Null when it is closed already.</summary>
    public void Close(string server, string? vm, bool drain)
    {
        var closed = region.Watch.Books[server].Closed;
        if (closed.Count == 0) region.Run(() => Say(server, vm, true, drain, () => closed.Add(vm ?? "")));
    }

    public void Open(string server, string? vm)
    {
        region.Watch.Books[server].Closed.Clear();
        region.Run(() => Say(server, vm, false, false, () => { }));
    }

    private async Task Say(string server, string? vm, bool closed, bool drain, Action done)
    {
        var known = false;
        while (!known)
        {
            try
            {
                known = await region.Network.Call(() => vm is null
                    ? region.Server(server).Configure(closed, drain)
                    : region.Server(server).ConfigureVm(vm, closed, drain));
            }
            catch (CallFailedException)
            {
                known = false;
            }
            if (!known) await region.Time.Wait(RetryAfter);
        }
        done();
    }

    private void Tell(UserApp app)
    {
        app.Generation++;
        region.Run(() => Tell(app, app.Generation));
    }

    private async Task Tell(UserApp app, long generation)
    {
        var share = new ReplicaSetSpec { Revision = app.Revision, Spec = app.Spec, Replicas = app.Replicas, Generation = generation };
        while (generation == app.Generation)
        {
            try
            {
                await region.Network.Call(() => region.App(app.Name).Apply(share));
                return;
            }
            catch (CallFailedException)
            {
                await region.Time.Wait(RetryAfter);
            }
        }
    }
}

/// <summary>An app as its user wants it.</summary>
internal sealed class UserApp
{
    public required string Name { get; init; }

    public required AppSpec Spec { get; set; }

    public int Revision { get; set; } = 1;

    public long Generation { get; set; }

    public int Replicas => Spec.Replicas;

    /// <summary>Whether its newest revision can get healthy.</summary>
    public bool IsGood => !Spec.Image.StartsWith(Lifecycle.Bad, StringComparison.Ordinal);

    public static AppSpec NewSpec(Random random)
    {
        var surge = random.Next(0, 3);
        return new AppSpec
        {
            Image = "good",
            Port = 80,
            CpuMillis = random.Next(1, 13) * 100,
            MemoryMiB = random.Next(1, 17) * 64,
            Replicas = 1 + (int)(12 * random.NextDouble() * random.NextDouble()),
            StopGraceSeconds = 10,
            Spread = random.NextDouble() < 0.8 ? Spread.Server : Spread.None,
            Rollout = new RolloutSpec { MaxSurge = surge, MaxUnavailable = surge == 0 ? 1 : random.Next(0, 2), ProgressDeadlineSeconds = 40 },
        };
    }
}
