using System.Collections.Immutable;
using Hosting.Regions;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.Runtime.Placement;

namespace Hosting.Grains.Regions;

/// <summary>Pins a grain to silos that serve the region its key starts with.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RegionPinnedAttribute() : PlacementFilterAttribute(new RegionPlacementFilterStrategy());

/// <summary>The strategy behind <see cref="RegionPinnedAttribute"/>; it carries nothing, the key says it all.</summary>
public sealed class RegionPlacementFilterStrategy : PlacementFilterStrategy
{
    /// <summary>Asked by the runtime.</summary>
    public RegionPlacementFilterStrategy() : base(order: 0)
    {
    }
}

/// <summary>Leaves the silos that serve the region; none of them alive means that the call fails at once.</summary>
internal sealed class RegionPlacementFilterDirector(IClusterMembershipService cluster, ISiloMetadataCache metadata) : IPlacementFilterDirector
{
    public IEnumerable<SiloAddress> Filter(PlacementFilterStrategy strategy, PlacementTarget target, IEnumerable<SiloAddress> silos)
    {
        var key = target.GrainIdentity.Key.ToString() ?? "";
        var region = GrainKeys.RegionOf(key).ToString();
        var members = cluster.CurrentSnapshot.Members;
        return silos.Where(silo => RegionsOf(silo, members).Contains(region, StringComparer.Ordinal));
    }

    private string[] RegionsOf(SiloAddress silo, ImmutableDictionary<SiloAddress, ClusterMember> members) =>
        (members.TryGetValue(silo, out var member) ? SiloRegions.InName(member.Name) : null)
            ?? SiloRegions.Split(metadata.GetSiloMetadata(silo).Metadata.GetValueOrDefault(GrainKeys.RegionsMetadata) ?? "");
}
