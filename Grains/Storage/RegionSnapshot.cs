using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Grains.Storage;

/// <summary>Everything a region's matching starts from, as of one moment.</summary>
/// <param name="Servers">Its servers, by name.</param>
/// <param name="Vms">Their VMs, by server and name.</param>
/// <param name="Containers">Its deployment records that are not over, in no order, without health, endpoint and reason: the matching asks for none.</param>
public sealed record RegionSnapshot(
    IReadOnlyList<ServerRecord> Servers, IReadOnlyList<VmRecord> Vms, IReadOnlyList<ContainerRecord> Containers);
