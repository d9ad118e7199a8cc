namespace Hosting.HostAgent.Utilization;

/// <summary>CPU in thousandths of a core, memory in MiB.</summary>
internal readonly record struct Capacity(int CpuMillis, int MemoryMiB)
{
    /// <summary>The more of both, in CPU and in memory.</summary>
    public Capacity Or(Capacity other) => new(Math.Max(CpuMillis, other.CpuMillis), Math.Max(MemoryMiB, other.MemoryMiB));

    /// <summary>What this machine has. Asked of the kernel, as the runtime answers with its own process's limits.</summary>
    public static Capacity OfMachine()
    {
        var cpus = File.ReadLines("/proc/stat").Count(line => line.StartsWith("cpu", StringComparison.Ordinal) && char.IsAsciiDigit(line[3]));
        var total = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        var kibibytes = long.Parse(total.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
        return new Capacity(cpus * 1000, (int)(kibibytes / 1024));
    }
}
