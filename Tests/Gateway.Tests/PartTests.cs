using CsCheck;
using Hosting.Gateway.Routing;
using Microsoft.Extensions.Configuration;

namespace Hosting.Gateway.Tests;

public sealed class PartTests
{
    [Theory]
    [InlineData("shop.localhost", nameof(HostKind.App))]
    [InlineData("SHOP.LocalHost", nameof(HostKind.App))]
    [InlineData("api.localhost", nameof(HostKind.Api))]
    [InlineData("localhost", nameof(HostKind.Api))]
    [InlineData("127.0.0.1", nameof(HostKind.Api))]
    [InlineData("[::1]", nameof(HostKind.Api))]
    [InlineData("a.b.localhost", nameof(HostKind.Custom))]
    [InlineData("shop.example.com", nameof(HostKind.Custom))]
    [InlineData("192.168.0.1", nameof(HostKind.Invalid))]
    [InlineData("[::2]", nameof(HostKind.Invalid))]
    [InlineData("", nameof(HostKind.Invalid))]
    [InlineData("shop_1.localhost", nameof(HostKind.Invalid))]
    [InlineData("a..b.com", nameof(HostKind.Invalid))]
    [InlineData("shop.123", nameof(HostKind.Invalid))]
    public void Host_names_are_told_apart(string host, string kind) => Assert.Equal(kind, HostName.Classify(host, "localhost").ToString());

    [Theory]
    [InlineData("shop.localhost:8080", "shop.localhost")]
    [InlineData("shop.localhost.", "shop.localhost")]
    [InlineData("[::1]:80", "[::1]")]
    [InlineData("[::1]", "[::1]")]
    public void Ports_and_the_roots_dot_are_taken_off(string header, string host) =>
        Assert.Equal(host, HostName.WithoutPort(header).ToString());

    [Fact]
    public void Any_header_is_classified_without_a_failure() =>
        Gen.String.Sample(header => HostName.Classify(HostName.WithoutPort(header), "apps.example.com"));

    [Fact]
    public void Every_replica_is_tried_once_before_there_is_none_left() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 6], Gen.UInt, Gen.UInt).Sample((near, far, turn, random) =>
        {
            var view = new ReplicaView(Replicas("near", near), Replicas("far", far));
            var tried = new List<Replica>();
            while (ReplicaChoice.Choose(view, turn, random, tried, TimeProvider.System, 100) is { } replica)
                tried.Add(replica);
            return tried.Distinct().Count() == near + far && tried.Take(near).All(view.Near.Contains);
        });

    [Fact]
    public void Ejected_replicas_come_last_and_are_used_when_all_are_ejected()
    {
        var view = new ReplicaView(Replicas("near", 2), Replicas("far", 1));
        Assert.NotNull(view.Near[0].Eject(TimeProvider.System));
        Assert.Null(view.Near[0].Eject(TimeProvider.System));
        Assert.Same(view.Near[1], ReplicaChoice.Choose(view, 0, 0, null, TimeProvider.System, 100));
        view.Near[1].Eject(TimeProvider.System);
        Assert.Same(view.Far[0], ReplicaChoice.Choose(view, 0, 0, null, TimeProvider.System, 100));
        view.Far[0].Eject(TimeProvider.System);
        Assert.NotNull(ReplicaChoice.Choose(view, 0, 0, null, TimeProvider.System, 100));
    }

    [Fact]
    public void Ejections_grow_to_ten_seconds_and_end_with_an_answer()
    {
        var time = new ManualTime();
        var replica = Replicas("one", 1)[0];
        var pauses = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            pauses.Add(replica.Eject(time)!.Value.TotalSeconds);
            time.Advance(TimeSpan.FromSeconds(pauses[^1]));
        }

        Assert.Equal([1, 2, 4, 8, 10, 10], pauses);
        replica.Succeeded();
        Assert.Equal(Replica.FirstEjection, replica.Eject(time));
    }

    [Fact]
    public void Unknown_names_are_remembered_for_one_to_two_periods_and_in_limited_number()
    {
        var time = new ManualTime();
        var cache = new NegativeCache(TimeSpan.FromSeconds(1), 2, time);
        cache.Add("a.com");
        cache.Add("b.com");
        cache.Add("c.com");
        Assert.True(cache.Contains("A.com"));
        Assert.False(cache.Contains("c.com"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(cache.Contains("b.com"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(cache.Contains("b.com"));
    }

    [Fact]
    public async Task A_view_that_was_superseded_before_the_wait_does_not_make_wait()
    {
        var view = new ReplicaView([], []);
        var early = view.Superseded;
        Assert.False(early.IsCompleted);
        view.Supersede();
        await early;
        await view.Superseded;
        var other = new ReplicaView([], []);
        other.Supersede();
        await other.Superseded;
    }

    [Fact]
    public void Every_error_of_the_configuration_is_named_at_once()
    {
        var (_, errors) = GatewayOptions.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Hosting:AppsDomain"] = "not a domain",
            ["Hosting:Gateway:Port"] = "70000",
            ["Hosting:Gateway:Address"] = "everywhere",
            ["Hosting:Gateway:ParkSeconds"] = "-1",
            ["Hosting:Gateway:SaturatedAt"] = "0",
            ["Hosting:Gateway:Region"] = "eu_1",
        }).Build());

        Assert.Equal(7, errors.Count);
        foreach (var key in (string[])["ConnectionStrings:Hosting", "Hosting:AppsDomain", "Hosting:Gateway:Port", "Hosting:Gateway:Address", "Hosting:Gateway:ParkSeconds",
            "Hosting:Gateway:SaturatedAt", "Hosting:Gateway:Region"])
            Assert.Single(errors, error => error.StartsWith(key + " ", StringComparison.Ordinal));
    }

    [Fact]
    public void Defaults_need_a_database_only()
    {
        var (options, errors) = GatewayOptions.Read(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["ConnectionStrings:Hosting"] = "Host=db;Database=hosting" }).Build());

        Assert.Empty(errors);
        Assert.Equal((8080, "localhost", "hosting", 0), (options.Port, options.AppsDomain, options.Cluster, options.AdminPort));
    }

    private static Replica[] Replicas(string name, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Replica.TryCreate($"{name}-{i}", $"http://127.0.0.1:{i + 1}/")!)];

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
