using CsCheck;
using Hosting.Apps;
using Hosting.Domain.Apps;

namespace Hosting.Domain.Tests.Apps;

public class RegionSplitTests
{
    private static readonly AppSpec Shop = new() { Image = "shop:1", Port = 80 };

    private static readonly Gen<Dictionary<string, int>> Shares =
        Gen.Int[0, 50].Array[1, 6].Select(numbers => numbers.Index().ToDictionary(share => $"r-{share.Index}", share => share.Item));

    [Fact]
    public void Regions_with_numbers_have_these() => Assert.Equal(
        new Dictionary<string, int> { ["eu-1"] = 2, ["us-1"] = 1 },
        RegionSplit.Of(Shop with { Regions = [new("eu-1", 2), new("us-1", 1)] }, ["eu-1", "us-1", "ap-1"]));

    [Fact]
    public void Named_regions_share_evenly_and_the_first_take_the_rest() => Assert.Equal(
        new Dictionary<string, int> { ["us-1"] = 3, ["eu-1"] = 2 }, RegionSplit.Of(Shop with { Replicas = 5, Regions = ["us-1", "eu-1"] }, ["eu-1", "us-1", "ap-1"]));

    [Fact]
    public void Every_region_has_the_floor() => Assert.Equal(
        new Dictionary<string, int> { ["eu-1"] = 1, ["us-1"] = 1, ["ap-1"] = 1 },
        RegionSplit.Of(Shop with { Replicas = 2, MinPerRegion = 1 }, ["eu-1", "us-1", "ap-1"]));

    [Fact]
    public void What_is_away_runs_elsewhere_once_and_nobody_else_loses() => Gen.Select(Shares, Gen.Int).Sample((shares, seed) =>
    {
        var random = new Random(seed);
        var away = shares.Keys.Where(_ => random.Next(3) == 0).ToList();
        var now = RegionSplit.Without(shares, away);
        Assert.Equal(shares.Keys.Order(), now.Keys.Order());
        Assert.All(away, region => Assert.Equal(shares[region], now[region]));
        if (away.Count == shares.Count)
            return;
        Assert.Equal(shares.Values.Sum(), now.Where(share => !away.Contains(share.Key)).Sum(share => share.Value));
        var more = now.Where(share => !away.Contains(share.Key)).Select(share => share.Value - shares[share.Key]).ToList();
        Assert.InRange(more.Max() - more.Min(), 0, 1);
    });
}
