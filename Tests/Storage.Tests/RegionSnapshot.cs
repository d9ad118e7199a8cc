using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Storage.Tests;

/// <summary>What a region's matching is given when it starts, together.</summary>
internal sealed record RegionSnapshot(IReadOnlyList<ServerRecord> Servers, IReadOnlyList<VmRecord> Vms, IReadOnlyList<ContainerRecord> Containers)
{
    public static async Task<RegionSnapshot> Load(PoolStore pool, string region)
    {
        var (servers, vms, containers) = (new List<ServerRecord>(), new List<VmRecord>(), new List<ContainerRecord>());
        await pool.LoadRegion(region, (s, v) => (servers, vms) = ([.. s], [.. v]), containers.AddRange, default);
        return new RegionSnapshot(servers, vms, containers);
    }
}
