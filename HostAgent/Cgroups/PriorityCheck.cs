using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Cgroups;

/// <summary>A thread and the control group that decides on its CPU.</summary>
/// <param name="Process">Id of its process.</param>
/// <param name="Name">Name of its process.</param>
/// <param name="Group">The group, as the kernel names it.</param>
/// <param name="IsEngine">Whether its process may belong to a container engine: it is in the process namespace of the VM's first process.</param>
internal readonly record struct ThreadGroup(int Process, string Name, string Group, bool IsEngine);

/// <summary>Reads back whether the lowest class is in force for a VM and whether every thread of it is in it.</summary>
internal static class PriorityCheck
{
    /// <summary>The first thread that competes with the primary; null when none does.</summary>
    /// <param name="threads">Threads of a VM.</param>
    /// <param name="lowest">Group of the VM in the lowest class; what is below it is too.</param>
    /// <param name="engine">Group of the VM's engine, at a modest weight of its own.</param>
    public static string? Outside(IEnumerable<ThreadGroup> threads, string lowest, string engine)
    {
        foreach (var thread in threads)
        {
            var low = thread.Group == lowest || thread.Group.StartsWith(lowest + "/", StringComparison.Ordinal);
            if (!low && !(thread.IsEngine && thread.Group == engine))
                return $"a thread of process {thread.Process} ({thread.Name}) is in the control group {thread.Group}, not below {lowest}";
        }

        return null;
    }

    /// <summary>Every thread of a VM: of its first process and of all that descend from it.</summary>
    public static IReadOnlyList<ThreadGroup> ThreadsOf(HostProcess first)
    {
        if (!first.IsAlive)
            return [];
        var own = Namespace(first.Id);
        return [.. Family(first.Id).SelectMany(process => Threads(process.Id, process.Name, Namespace(process.Id) is var space && (space == own || space is null)))];
    }

    /// <summary>The group of a thread in the hierarchy that decides on CPU; null when the thread is gone.</summary>
    internal static string? GroupIn(IEnumerable<string> lines)
    {
        string? unified = null;
        foreach (var parts in lines.Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3))
        {
            if (parts[1].Split(',').Contains("cpu"))
                return parts[2];
            if (parts[1].Length == 0)
                unified = parts[2];
        }

        return unified;
    }

    private static List<(int Id, string Name)> Family(int first)
    {
        var all = new Dictionary<int, (string Name, int Parent)>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), out var id) && HostProcess.Describe(id) is { } about)
                all[id] = about;
        }

        var children = all.ToLookup(one => one.Value.Parent, one => one.Key);
        var family = new List<(int, string)>();
        var open = new Queue<int>([first]);
        while (open.TryDequeue(out var id))
        {
            if (all.TryGetValue(id, out var about))
                family.Add((id, about.Name));
            foreach (var child in children[id])
                open.Enqueue(child);
        }

        return family;
    }

    private static IEnumerable<ThreadGroup> Threads(int process, string name, bool isEngine)
    {
        string[] threads;
        try
        {
            threads = Directory.GetDirectories($"/proc/{process}/task");
        }
        catch (IOException)
        {
            yield break;
        }

        foreach (var thread in threads)
        {
            if (Lines(Path.Combine(thread, "cgroup")) is { } lines && GroupIn(lines) is { } group)
                yield return new ThreadGroup(process, name, group, isEngine);
        }
    }

    private static string[]? Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? Namespace(int process)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{process}/ns/pid", returnFinalTarget: false)?.Name;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
