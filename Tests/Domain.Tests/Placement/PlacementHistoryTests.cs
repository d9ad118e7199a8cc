using CsCheck;

namespace Hosting.Domain.Tests.Placement;

/// <summary>
/// Random histories, every answer held against <see cref="RegionModel"/>: chosen VMs match and have the fewest replicas,
/// refusals come only when nothing matches and count right, explain agrees with place. A failure prints its seed.
/// </summary>
public sealed class PlacementHistoryTests
{
    [Fact]
    public void A_small_region_agrees_with_the_plain_scan() =>
        new History(servers: 5, apps: 3, History.RoundDemands, replicas: 6).OfLength(10, 120).Sample(history => { Replay.Of(history); }, iter: 400);

    [Fact]
    public void Demands_that_never_repeat_agree_with_the_plain_scan() =>
        new History(servers: 12, apps: 4, History.AnyDemands, replicas: 4).OfLength(200, 400).Sample(history => { Replay.Of(history); }, iter: 40);

    [Fact]
    public void More_demands_than_classes_agree_with_the_plain_scan() =>
        new History(servers: 60, apps: 6, History.ManyDemands, replicas: 3).OfLength(900, 1200).Sample(history => { Replay.Of(history); }, iter: 8);

    [Fact]
    public void A_region_wider_than_a_block_of_bitmaps_and_apps_on_many_servers_agree_with_the_plain_scan() =>
        new History(servers: 600, apps: 2, History.RoundDemands, replicas: 60).OfLength(1500, 2000).Sample(history => { Replay.Of(history); }, iter: 3);

    [Fact]
    public void Demands_that_never_repeat_in_a_region_of_many_blocks_of_vms_agree_with_the_plain_scan() =>
        new History(servers: 300, apps: 3, History.AnyDemands, replicas: 40).OfLength(900, 1200).Sample(history => { Replay.Of(history); }, iter: 4);

    [Fact]
    public void The_same_history_gives_the_same_answers() =>
        new History(servers: 8, apps: 3, History.RoundDemands, replicas: 5).OfLength(50, 150)
            .Sample(history => { Assert.Equal(Replay.Of(history).Answers, Replay.Of(history).Answers); }, iter: 50);
}
