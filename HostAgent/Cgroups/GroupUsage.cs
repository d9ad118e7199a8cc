using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Cgroups;

/// <summary>What a control group with everything below it uses.</summary>
internal sealed class GroupUsage(Cgroup cpu, Cgroup memory) : IDisposable
{
    private readonly KernelFile _cpu = new(Path.Combine(cpu.Path, cpu.IsV2 ? "cpu.stat" : "cpuacct.usage"));
    private readonly KernelFile _memory = new(Path.Combine(memory.Path, memory.IsV2 ? "memory.current" : "memory.usage_in_bytes"));
    private readonly KernelFile _memoryStat = new(Path.Combine(memory.Path, "memory.stat"));

    /// <summary>Seconds of CPU since the group was made.</summary>
    public double CpuSeconds() =>
        cpu.IsV2 ? KernelFile.Number(_cpu.Read(), "usage_usec"u8) / 1e6 : KernelFile.Number(_cpu.Read(), ""u8) / 1e9;

    /// <summary>Bytes, without the file cache that the kernel can drop at once.</summary>
    public long MemoryBytes()
    {
        var all = KernelFile.Number(_memory.Read(), ""u8);
        var droppable = KernelFile.Number(_memoryStat.Read(), memory.IsV2 ? "inactive_file"u8 : "total_inactive_file"u8);
        return Math.Max(0, all - droppable);
    }

    public void Dispose()
    {
        _cpu.Dispose();
        _memory.Dispose();
        _memoryStat.Dispose();
    }
}
