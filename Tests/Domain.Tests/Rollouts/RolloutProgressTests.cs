using Hosting.Domain.Rollouts;
using Hosting.Placement;

namespace Hosting.Domain.Tests.Rollouts;

public class RolloutProgressTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Fact]
    public void One_healthy_replica_more_begins_the_time_anew_and_the_same_number_again_does_not()
    {
        var progress = Look(RolloutProgress.Begin(Start), seconds: 30, healthy: 0);
        progress = progress.Look(1, paused: false, Start.AddSeconds(31));
        Assert.Equal(TimeSpan.Zero, progress.Stalled);
        progress = progress.Look(0, false, Start.AddSeconds(32)).Look(1, false, Start.AddSeconds(33));
        Assert.Equal(TimeSpan.FromSeconds(2), progress.Stalled);
    }

    [Fact]
    public void Time_in_a_pause_does_not_count()
    {
        var progress = RolloutProgress.Begin(Start).Look(0, paused: false, Start.AddSeconds(3));
        progress = progress.Look(0, paused: true, Start.AddSeconds(4)).Look(0, paused: true, Start.AddSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(3), progress.Stalled);
    }

    [Fact]
    public void Time_in_which_nobody_looked_hardly_counts() =>
        Assert.Equal(TimeSpan.FromSeconds(5), RolloutProgress.Begin(Start).Look(0, false, Start.AddHours(1)).Stalled);

    [Fact]
    public void Only_lack_of_room_pauses_and_not_a_replica_that_fails()
    {
        var wanted = RolloutWorld.Spec(2, 2, 1, 0);
        Assert.True(Rollout.WaitsForRoom(wanted, [Container("a", 1, healthy: true)], refused: true));
        Assert.False(Rollout.WaitsForRoom(wanted, [Container("a", 1, healthy: true), Container("b", 2, healthy: false)], refused: true));
        Assert.False(Rollout.WaitsForRoom(wanted, [Container("a", 1, healthy: true)], refused: false));
    }

    [Fact]
    public void What_serves_is_the_revision_with_most_healthy_containers()
    {
        ContainerRecord[] containers = [Container("a", 5, true), Container("b", 5, true), Container("c", 6, true), Container("d", 7, false), Container("e", 8, true)];
        Assert.Equal(5, Rollout.ServingBeside(8, containers, before: null));
        Assert.Equal(6, Rollout.ServingBeside(8, [], before: 6));
        Assert.Null(Rollout.ServingBeside(8, [Container("d", 7, false)], before: null));
    }

    [Fact]
    public void A_stop_names_the_culprit_and_what_serves() =>
        Assert.Equal(
            "rollout of revision 7 stopped: no replica more became healthy in 60 s (shop-7f3: exited with code 1); revision 6 serves",
            Rollout.WhyStopped(RolloutWorld.Spec(7, 2, 1, 0), [Container("shop-1", 6, true), Container("shop-7f3", 7, false) with { Reason = "exited with code 1" }], 6));

    private static RolloutProgress Look(RolloutProgress progress, int seconds, int healthy)
    {
        for (var i = 1; i <= seconds; i++)
            progress = progress.Look(healthy, paused: false, Start.AddSeconds(i));
        Assert.Equal(TimeSpan.FromSeconds(seconds), progress.Stalled);
        return progress;
    }

    private static ContainerRecord Container(string id, int revision, bool healthy) => new()
    {
        Id = id,
        App = "shop",
        Revision = revision,
        Region = "eu-1",
        Server = "srv-01",
        Vm = "vm-1",
        Demand = new Demand(100, 64),
        State = ContainerState.Running,
        Healthy = healthy,
        Endpoint = "10.0.0.1:80",
        CreatedAt = Start,
    };
}
