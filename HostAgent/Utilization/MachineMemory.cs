using System.Buffers.Text;

namespace Hosting.HostAgent.Utilization;

/// <summary>
/// Memory of the whole machine. What the kernel says is available misses pages that it keeps free for each processor, by Linux 6.7 and
/// later up to an eighth of the memory after much of it was given back: a server would look full of containers that are gone.
/// </summary>
internal sealed class MachineMemory : IDisposable
{
    private readonly KernelFile _meminfo = new("/proc/meminfo");
    private readonly KernelFile _zones = new("/proc/zoneinfo");

    /// <summary>Total, and in use by anyone, in KiB; what the kernel can drop or hand out at once is not in use. Zeros where it does not say.</summary>
    public (double Total, double Used) Read()
    {
        var text = _meminfo.Read();
        double total = KernelFile.Number(text, "MemTotal:"u8);
        double available = KernelFile.Number(text, "MemAvailable:"u8);
        return (total, Math.Max(0, total - available - (FreePages(_zones.ReadAll()) * (Environment.SystemPageSize / 1024.0))));
    }

    public void Dispose()
    {
        _meminfo.Dispose();
        _zones.Dispose();
    }

    /// <summary>Pages that are free in the lists of all processors and zones: the lines "count:" of /proc/zoneinfo.</summary>
    internal static long FreePages(ReadOnlySpan<byte> zones)
    {
        var pages = 0L;
        foreach (var range in zones.Split((byte)'\n'))
        {
            var line = zones[range].TrimStart((byte)' ');
            if (line.StartsWith("count:"u8) && Utf8Parser.TryParse(line["count:"u8.Length..].TrimStart((byte)' '), out long count, out _))
                pages += count;
        }

        return pages;
    }
}
