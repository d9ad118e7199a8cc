namespace Hosting.HostAgent.Cgroups;

/// <summary>A mounted hierarchy of control groups.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="IsV2">Whether it is the unified hierarchy.</param>
/// <param name="Controllers">What it controls; a named hierarchy of version 1 counts as a controller <c>name=...</c>.</param>
internal sealed record CgroupMount(string Path, bool IsV2, IReadOnlySet<string> Controllers)
{
    private static readonly HashSet<string> V1Controllers =
    [
        "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "net_cls", "net_prio", "blkio", "pids", "perf_event", "hugetlb", "rdma", "misc",
    ];

    /// <summary>Hierarchies of this machine.</summary>
    public static IReadOnlyList<CgroupMount> OfMachine() => Parse(File.ReadAllText("/proc/mounts"));

    /// <summary>Reads lines of /proc/mounts. Of several mounts of one hierarchy the first counts.</summary>
    public static IReadOnlyList<CgroupMount> Parse(string mounts)
    {
        var found = new List<CgroupMount>();
        foreach (var line in mounts.Split('\n'))
        {
            var fields = line.Split(' ');
            if (fields.Length < 4 || fields[2] is not ("cgroup" or "cgroup2"))
                continue;
            var mount = fields[2] == "cgroup2" ? V2(fields[1]) : V1(fields[1], fields[3].Split(','));
            if (!found.Exists(other => other.IsV2 == mount.IsV2 && other.Controllers.SetEquals(mount.Controllers)))
                found.Add(mount);
        }

        return found;
    }

    private static CgroupMount V1(string path, string[] options) => new(path, false,
        options.Where(option => V1Controllers.Contains(option) || option.StartsWith("name=", StringComparison.Ordinal)).ToHashSet());

    private static CgroupMount V2(string path)
    {
        var file = System.IO.Path.Combine(path, "cgroup.controllers");
        var controllers = File.Exists(file) ? File.ReadAllText(file).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries) : [];
        return new CgroupMount(path, true, controllers.ToHashSet());
    }
}
