using CsCheck;
using Hosting.Apps;
using Hosting.Domain.Apps;

namespace Hosting.Domain.Tests.Apps;

public class AppSpecRulesTests
{
    private static readonly AppSpec Valid = new() { Image = "shop:1", Port = 8080 };

    public static TheoryData<string, AppSpec> Invalid => new()
    {
        { "image", Valid with { Image = "" } },
        { "image", Valid with { Image = "shop 1" } },
        { "port", Valid with { Port = 0 } },
        { "port", Valid with { Port = 70_000 } },
        { "cpuMillis", Valid with { CpuMillis = 0 } },
        { "cpuMillis", Valid with { CpuMillis = -5 } },
        { "cpuMillis", Valid with { CpuMillis = int.MaxValue } },
        { "memoryMiB", Valid with { MemoryMiB = 0 } },
        { "memoryMiB", Valid with { MemoryMiB = int.MaxValue } },
        { "replicas", Valid with { Replicas = -1 } },
        { "replicas", Valid with { Replicas = 1_001 } },
        { "regions", Valid with { Regions = ["mars-1"] } },
        { "regions", Valid with { Regions = ["eu-1", "eu-1"] } },
        { "hostnames", Valid with { Hostnames = ["Shop.example.com"] } },
        { "hostnames", Valid with { Hostnames = ["shop"] } },
        { "hostnames", Valid with { Hostnames = ["10.0.0.1"] } },
        { "hostnames", Valid with { Hostnames = ["-shop.example.com"] } },
        { "healthCheck.path", Valid with { HealthCheck = new() { Path = "healthz" } } },
        { "healthCheck.timeoutSeconds", Valid with { HealthCheck = new() { TimeoutSeconds = 3 } } },
        { "rollout", Valid with { Rollout = new() { MaxSurge = 0, MaxUnavailable = 0 } } },
        { "rollout.maxSurge", Valid with { Rollout = new() { MaxSurge = -1 } } },
        { "rollout.progressDeadlineSeconds", Valid with { Rollout = new() { ProgressDeadlineSeconds = 0 } } },
        { "rollout.progressDeadlineSeconds", Valid with { Rollout = new() { ProgressDeadlineSeconds = 3_601 } } },
        { "healthCheck.path", Valid with { HealthCheck = new() { Path = "/health check" } } },
        { "healthCheck.intervalSeconds", Valid with { HealthCheck = new() { IntervalSeconds = 0, TimeoutSeconds = 0 } } },
        { "stopGraceSeconds", Valid with { StopGraceSeconds = -1 } },
        { "env", Valid with { Env = new Dictionary<string, string> { ["A=B"] = "c" } } },
    };

    [Theory, MemberData(nameof(Invalid))]
    public void A_field_out_of_its_range_is_named(string field, AppSpec spec) =>
        Assert.Contains(AppSpecRules.Check("shop", spec, ["eu-1"]), e => e.Field == field);

    [Theory]
    [InlineData(""), InlineData("Shop"), InlineData("-shop"), InlineData("shop-"), InlineData("sh.op"), InlineData("sh op"), InlineData("api"), InlineData("ö")]
    [InlineData("a23456789012345678901234567890123456789012345678901")]
    public void A_name_that_is_no_label_is_refused(string name) =>
        Assert.Equal(["name"], AppSpecRules.Check(name, Valid, ["eu-1"]).Select(e => e.Field));

    [Fact]
    public void Every_error_is_found_at_once() =>
        Assert.Equal(3, AppSpecRules.Check("shop", Valid with { Port = 0, CpuMillis = 0, Replicas = -1 }, ["eu-1"]).Count);

    [Fact]
    public void A_spec_within_all_ranges_is_valid() =>
        Gen.Select(Gen.Int[1, 65_535], Gen.Int[1, 1_000_000], Gen.Int[4, 16_777_216], Gen.Int[0, 1_000]).Sample((port, cpu, memory, replicas) =>
            Assert.Empty(AppSpecRules.Check("shop", Valid with { Port = port, CpuMillis = cpu, MemoryMiB = memory, Replicas = replicas }, ["eu-1"])));

    [Fact]
    public void The_order_of_a_dictionary_makes_no_difference() =>
        Assert.True(AppSpecComparison.AreSame(
            Valid with { Env = new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" } },
            Valid with { Env = new Dictionary<string, string> { ["B"] = "2", ["A"] = "1" }, Args = [] }));

    [Fact]
    public void Scaling_keeps_the_containers_and_a_new_image_does_not()
    {
        Assert.True(AppSpecComparison.RunTheSame(Valid, Valid with { Replicas = 7, Hostnames = ["shop.example.com"] }));
        Assert.False(AppSpecComparison.RunTheSame(Valid, Valid with { Image = "shop:2" }));
    }

    [Fact]
    public void Another_choice_of_placement_is_a_change_that_keeps_the_containers()
    {
        var together = Valid with { Placement = Hosting.Placement.PlacementMode.AllOrNothing };
        Assert.False(AppSpecComparison.AreSame(Valid, together));
        Assert.True(AppSpecComparison.RunTheSame(Valid, together));
    }

    [Fact]
    public void Numbers_of_regions_are_complete_in_range_and_add_up()
    {
        Assert.Empty(Fields(Valid with { Regions = [new("eu-1", 2), new("us-1", 1)] }));
        Assert.Empty(Fields(Valid with { Replicas = 3, Regions = [new("eu-1", 2), new("us-1", 1)] }));
        Assert.Equal(["replicas"], Fields(Valid with { Replicas = 5, Regions = [new("eu-1", 2)] }));
        Assert.Equal(["regions.eu-1"], Fields(Valid with { Regions = [new("eu-1", -1), new("us-1", 2)] }));
        Assert.Equal(["regions"], Fields(Valid with { Regions = [new("eu-1", 2), "us-1"] }));
        Assert.Equal(["minPerRegion"], Fields(Valid with { MinPerRegion = 1, Regions = [new("eu-1", 2)] }));

        static IEnumerable<string> Fields(AppSpec spec) => AppSpecRules.Check("shop", spec, ["eu-1", "us-1"]).Select(error => error.Field);
    }

    [Fact]
    public void A_split_is_even_and_complete() => Gen.Select(Gen.Int[0, 1_000], Gen.Int[1, 9]).Sample((replicas, regions) =>
    {
        var split = RegionSplit.Of(Valid with { Replicas = replicas }, [.. Enumerable.Range(0, regions).Select(i => $"r-{i}")]);
        Assert.Equal(replicas, split.Values.Sum());
        Assert.InRange(split.Values.Max() - split.Values.Min(), 0, 1);
    });
}
