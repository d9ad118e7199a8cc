using Docker.DotNet.Models;

namespace Hosting.HostAgent.Engine;

/// <summary>What an engine says a container uses.</summary>
/// <param name="CpuSeconds">CPU since its process started.</param>
/// <param name="MemoryBytes">Memory, without what the kernel can drop at once.</param>
internal readonly record struct EngineReading(double CpuSeconds, double MemoryBytes)
{
    /// <summary>From an answer. Control groups of version 1 and 2 name the file cache that is not in use differently.</summary>
    public static EngineReading Of(ContainerStatsResponse stats)
    {
        ulong droppable = 0;
        if (stats.MemoryStats?.Stats is { } parts && !parts.TryGetValue("total_inactive_file", out droppable))
            parts.TryGetValue("inactive_file", out droppable);
        var used = stats.MemoryStats?.Usage ?? 0;
        return new EngineReading((stats.CPUStats?.CPUUsage?.TotalUsage ?? 0) / 1e9, used > droppable ? used - droppable : 0);
    }
}
