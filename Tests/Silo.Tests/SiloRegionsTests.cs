using System.Collections.Immutable;
using System.Net;
using Hosting.Grains.Regions;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace Hosting.Silo.Tests;

public class SiloRegionsTests
{
    private static readonly SiloAddress Here = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress There = SiloAddress.New(IPAddress.Loopback, 2, 1);

    [Fact]
    public void A_region_is_found_although_its_silo_did_not_tell_its_metadata()
    {
        Assert.Equal([There], Silos("us-1", SiloRegions.Name("silo-1", ["eu-1"]), SiloRegions.Name("silo-2", ["eu-2", "us-1"])));
        Assert.Empty(Silos("us-2", SiloRegions.Name("silo-1", ["eu-1"]), SiloRegions.Name("silo-2", ["eu-2", "us-1"])));
    }

    [Fact]
    public void A_name_that_would_be_too_long_for_the_membership_leaves_it_to_the_metadata()
    {
        Assert.Equal("silo-1", SiloRegions.Name("silo-1", [.. Enumerable.Range(0, 50).Select(n => $"region-{n}")]));
        Assert.Null(SiloRegions.InName("silo-1"));
    }

    private static List<SiloAddress> Silos(string region, string here, string there)
    {
        var filter = new RegionPlacementFilterDirector(new Members(here, there), new Untold());
        var target = new PlacementTarget(GrainId.Create("server", $"{region}/srv-1"), [], default, 0);
        return [.. filter.Filter(new RegionPlacementFilterStrategy(), target, [Here, There])];
    }

    private sealed class Untold : ISiloMetadataCache
    {
        public SiloMetadata GetSiloMetadata(SiloAddress siloAddress) => SiloMetadata.Empty;
    }

    private sealed class Members(string here, string there) : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot { get; } = new(
            new[] { new ClusterMember(Here, SiloStatus.Active, here), new ClusterMember(There, SiloStatus.Active, there) }.ToImmutableDictionary(m => m.SiloAddress),
            new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }
}
