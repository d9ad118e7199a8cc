using System.Globalization;

namespace Hosting.Benchmarks.Placement;

/// <summary>What each side has used of the processors, and what the whole machine has.</summary>
/// <param name="Client">This process.</param>
/// <param name="Silo">The silo's.</param>
/// <param name="Postgres">PostgreSQL's, all of them.</param>
/// <param name="Machine">Everybody's, with what the machine's own host took away.</param>
/// <param name="Available">What all processors had to give, idle time included.</param>
internal readonly record struct ProcessorTimes(TimeSpan Client, TimeSpan Silo, TimeSpan Postgres, TimeSpan Machine, TimeSpan Available)
{
    private const double TicksPerSecond = 100;

    /// <summary>What was none of the benchmark's.</summary>
    public TimeSpan Others => Machine - Client - Silo - Postgres;

    public static ProcessorTimes operator -(ProcessorTimes later, ProcessorTimes earlier) =>
        new(later.Client - earlier.Client, later.Silo - earlier.Silo, later.Postgres - earlier.Postgres, later.Machine - earlier.Machine,
            later.Available - earlier.Available);

    public static ProcessorTimes operator +(ProcessorTimes one, ProcessorTimes other) =>
        new(one.Client + other.Client, one.Silo + other.Silo, one.Postgres + other.Postgres, one.Machine + other.Machine, one.Available + other.Available);

    /// <summary>With the times of the machine as they are now.</summary>
    public static ProcessorTimes Now(TimeSpan client, TimeSpan silo, TimeSpan postgres)
    {
        // user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen by the host
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        var (all, idle) = (ticks.Sum(), ticks[3] + ticks[4]);
        return new(client, silo, postgres, TimeSpan.FromSeconds((all - idle) / TicksPerSecond), TimeSpan.FromSeconds(all / TicksPerSecond));
    }
}
