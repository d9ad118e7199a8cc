using System.Globalization;

namespace Hosting.HostAgent.Cgroups;

/// <summary>One control group in one hierarchy, of version 1 or 2.</summary>
internal sealed class Cgroup(CgroupMount mount, string name)
{
    private const int PeriodMicroseconds = 100_000;
    private const string LowestIo = "default 1";

    public string Path { get; } = System.IO.Path.Combine(mount.Path, name);

    public bool IsV2 => mount.IsV2;

    private string MemoryHigh => IsV2 ? "memory.high" : "memory.soft_limit_in_bytes";

    /// <summary>Makes it, and in version 2 hands the controllers down to it.</summary>
    public void Create()
    {
        Directory.CreateDirectory(Path);
        if (!mount.IsV2 || mount.Controllers.Count == 0)
            return;
        var wanted = string.Join(' ', mount.Controllers.Where(c => c is "cpu" or "memory" or "pids" or "cpuset" or "io").Select(c => $"+{c}"));
        for (var parent = System.IO.Path.GetDirectoryName(Path)!; parent.Length >= mount.Path.Length; parent = System.IO.Path.GetDirectoryName(parent)!)
            HandDown(parent, wanted);
    }

    /// <summary>Puts everything in it behind everything beside it. Answers what is not in force; null when all is.</summary>
    public string? SetLowestClass()
    {
        if (File.Exists(System.IO.Path.Combine(Path, "cpu.idle")))
            return Set("cpu.idle", "1");
        return IsV2 ? Set("cpu.weight", "1") : Set("cpu.shares", "2");
    }

    /// <summary>Reads back what <see cref="SetLowestClass"/> sets. Answers what is not in force; null when all is.</summary>
    public string? LowestClassNotInForce()
    {
        if (File.Exists(System.IO.Path.Combine(Path, "cpu.idle")))
            return NotInForce("cpu.idle", "1");
        return IsV2 ? NotInForce("cpu.weight", "1") : NotInForce("cpu.shares", "2");
    }

    /// <summary>Puts it behind all others at the disks, where the kernel can weigh them. Answers what is not in force; null when it is.</summary>
    public string? SetLowestIo() => SetWhereThere("io.weight", LowestIo);

    /// <summary>Reads back what <see cref="SetLowestIo"/> sets. Answers what is not in force; null when all is.</summary>
    public string? LowestIoNotInForce() => File.Exists(System.IO.Path.Combine(Path, "io.weight")) ? NotInForce("io.weight", LowestIo) : null;

    /// <summary>
    /// The memory, in MiB, over which the kernel takes from this group first: on version 2 at once and slowing it down, on version 1
    /// when memory is short.
    /// </summary>
    public string? SetMemoryHigh(int memoryMiB) => Set(MemoryHigh, Text((long)memoryMiB * 1024 * 1024));

    /// <summary>Reads back what <see cref="SetMemoryHigh"/> sets. Answers what is not in force; null when it is.</summary>
    public string? MemoryHighNotInForce(int memoryMiB) => NotInForce(MemoryHigh, Text((long)memoryMiB * 1024 * 1024));

    /// <summary>Reads back what <see cref="SetMemoryLimit"/> sets. Answers what is not in force; null when it is.</summary>
    public string? MemoryLimitNotInForce(int memoryMiB) =>
        NotInForce(IsV2 ? "memory.max" : "memory.limit_in_bytes", Text((long)memoryMiB * 1024 * 1024));

    /// <summary>Weight in the terms of version 1, where 1024 is the default.</summary>
    public string? SetShares(int shares) =>
        IsV2 ? Set("cpu.weight", Text(Math.Max(1, shares * 100 / 1024))) : Set("cpu.shares", Text(shares));

    /// <summary>The most CPU it may use, in thousandths of a core.</summary>
    public string? SetCpuLimit(int cpuMillis)
    {
        var quota = Text((long)cpuMillis * PeriodMicroseconds / 1000);
        return IsV2
            ? Set("cpu.max", $"{quota} {PeriodMicroseconds}")
            : Set("cpu.cfs_period_us", Text(PeriodMicroseconds)) ?? Set("cpu.cfs_quota_us", quota);
    }

    /// <summary>Takes the limit of CPU away.</summary>
    public string? LiftCpuLimit() => IsV2 ? Set("cpu.max", $"max {PeriodMicroseconds}") : Set("cpu.cfs_quota_us", "-1");

    /// <summary>The most memory it may use, in MiB, with no swap besides where the kernel can say so.</summary>
    public string? SetMemoryLimit(int memoryMiB)
    {
        var bytes = Text((long)memoryMiB * 1024 * 1024);
        return IsV2
            ? Set("memory.max", bytes) ?? SetWhereThere("memory.swap.max", "0")
            : SetV1Memory(bytes);
    }

    /// <summary>Writes a setting and reads it back. Answers what is not in force; null when it is.</summary>
    public string? Set(string file, string value)
    {
        try
        {
            File.WriteAllText(System.IO.Path.Combine(Path, file), value);
            var actual = File.ReadAllText(System.IO.Path.Combine(Path, file)).Trim();
            return actual == value ? null : $"{Path}/{file} is {actual} after {value} was written";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"{Path}/{file} did not take {value}: {error.Message}";
        }
    }

    private string? NotInForce(string file, string value)
    {
        try
        {
            var actual = File.ReadAllText(System.IO.Path.Combine(Path, file)).Trim();
            return actual == value ? null : $"{Path}/{file} is {actual}, not {value}";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"{Path}/{file} cannot be read: {error.Message}";
        }
    }

    /// <summary>Processes in it and below it, by their ids on the host.</summary>
    public IReadOnlyList<int> Processes() => Groups().SelectMany(Processes).Distinct().ToList();

    /// <summary>Removes it with everything below; false while something is still in it.</summary>
    public bool TryRemove()
    {
        foreach (var group in Groups().OrderByDescending(path => path.Length))
        {
            try
            {
                Directory.Delete(group);
            }
            catch (DirectoryNotFoundException)
            {
                // Somebody else removed it.
            }
            catch (IOException)
            {
                return false;
            }
        }

        return true;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void HandDown(string parent, string wanted)
    {
        try
        {
            File.WriteAllText(System.IO.Path.Combine(parent, "cgroup.subtree_control"), wanted);
        }
        catch (IOException)
        {
            // Handed down already or not to be had; what then is not in force is found when it is set.
        }
    }

    /// <summary>The limit with swap may not be under the limit without: which of them goes first depends on what was there.</summary>
    private string? SetV1Memory(string bytes)
    {
        if (Set("memory.limit_in_bytes", bytes) is not null)
            SetWhereThere("memory.memsw.limit_in_bytes", bytes);
        return Set("memory.limit_in_bytes", bytes) ?? SetWhereThere("memory.memsw.limit_in_bytes", bytes);
    }

    private string? SetWhereThere(string file, string value) => File.Exists(System.IO.Path.Combine(Path, file)) ? Set(file, value) : null;

    private List<string> Groups()
    {
        try
        {
            return Directory.Exists(Path) ? [Path, .. Directory.GetDirectories(Path, "*", SearchOption.AllDirectories)] : [];
        }
        catch (DirectoryNotFoundException)
        {
            return [Path];
        }
    }

    private static IEnumerable<int> Processes(string group)
    {
        try
        {
            return File.ReadAllLines(System.IO.Path.Combine(group, "cgroup.procs")).Select(line => int.Parse(line, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return [];
        }
    }
}
