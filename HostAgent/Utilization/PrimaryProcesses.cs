using System.Globalization;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Utilization;

/// <summary>Which processes are the primary's: those of the configuration, else everything that is not ours.</summary>
internal sealed class PrimaryProcesses(PrimarySettings? primary, ServerGroups groups)
{
    private const int KernelThreadsParent = 2;
    private Dictionary<int, bool> _isKernel = [];

    /// <summary>Their ids now.</summary>
    public IReadOnlyList<int> List() => primary switch
    {
        { Cgroup: { } group } => groups.ProcessesOf(group.Trim('/')),
        { Unit: { } unit } => groups.GroupOfUnit(unit) is { } group ? groups.ProcessesOf(group) : [],
        { Pids.Count: > 0 } => primary.Pids,
        { Processes.Count: > 0 } => [.. All().Where(id => primary.Processes.Contains(Name(id)))],
        _ => groups.Primary is { } group ? groups.ProcessesOf(group) : NotOurs(),
    };

    private List<int> NotOurs()
    {
        var ours = groups.OwnProcesses().Append(Environment.ProcessId).ToHashSet();
        var before = _isKernel;
        // Asked once for each process, as the answer costs a file.
        _isKernel = All().ToDictionary(id => id, id => before.TryGetValue(id, out var known) ? known : IsKernel(id));
        return [.. _isKernel.Where(pair => !pair.Value && !ours.Contains(pair.Key)).Select(pair => pair.Key)];
    }

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0);

    private static bool IsKernel(int id) => id == KernelThreadsParent || HostProcess.Describe(id)?.Parent == KernelThreadsParent;

    private static string Name(int id) => HostProcess.Describe(id)?.Name ?? "";
}
