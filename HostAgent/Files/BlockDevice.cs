namespace Hosting.HostAgent.Files;

/// <summary>Finds the disk that a directory is on.</summary>
internal static class BlockDevice
{
    private const string Devices = "/sys/dev/block";

    /// <summary>Device file of that disk, such as <c>/dev/sda</c>; null where a file system has none of its own, or several.</summary>
    public static string? Under(string directory) =>
        NumberOf(File.ReadLines("/proc/self/mountinfo"), directory) is { } number ? DiskOf(number) : null;

    /// <summary>Number (<c>8:1</c>) of the device mounted at the nearest directory above, or at this one.</summary>
    internal static string? NumberOf(IEnumerable<string> mountinfo, string directory)
    {
        var (found, longest) = ((string?)null, -1);
        foreach (var fields in mountinfo.Select(line => line.Split(' ')).Where(fields => fields.Length > 4))
        {
            // A space in a path is written as \040, and as a state directory nobody has one. The last mount at a path hides the others.
            if (fields[4].Length >= longest && IsAbove(fields[4], directory))
                (found, longest) = (fields[2], fields[4].Length);
        }

        return found;
    }

    /// <summary>Limits hold for disks, not for their partitions.</summary>
    private static string? DiskOf(string number)
    {
        var device = Path.Combine(Devices, number);
        var disk = File.Exists(Path.Combine(device, "partition")) ? Path.GetDirectoryName(new FileInfo(device).ResolveLinkTarget(true)!.FullName)! : device;
        const string name = "DEVNAME=";
        var line = File.Exists(Path.Combine(disk, "uevent")) ? File.ReadLines(Path.Combine(disk, "uevent")).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) : null;
        return line is null ? null : $"/dev/{line[name.Length..]}";
    }

    private static bool IsAbove(string mount, string directory) =>
        mount == "/" || directory == mount || directory.StartsWith(mount + "/", StringComparison.Ordinal);
}
