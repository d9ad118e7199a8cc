using System.Diagnostics;
using System.Globalization;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Utilization;

namespace Hosting.Benchmarks.Interference;

/// <summary>Hungry neighbours of the primary, all below one control group.</summary>
/// <param name="group">Name of that group: the one that the agent puts into the lowest class.</param>
/// <param name="end">Takes them away.</param>
internal sealed class Crowd(string group, Func<Task> end) : IAsyncDisposable
{
    private const int MostPasses = 50;
    private const int DefaultShares = 1024;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly Cgroup _cpu = At("cpu", group);
    private readonly Cgroup _memory = At("memory", group);
    private readonly GroupUsage _usage = new(Account(group), At("memory", group));

    /// <summary>Seconds of CPU they used so far.</summary>
    public double CpuSeconds() => _usage.CpuSeconds();

    /// <summary>Memory in their own use, in MiB: what the server has back when they end, without files that the kernel keeps for them.</summary>
    public double HeldMiB() => KernelFile.Number(File.ReadAllBytes(Path.Combine(_memory.Path, "memory.stat")), _memory.IsV2 ? "anon"u8 : "total_rss"u8) / (1024 * 1024);

    /// <summary>They stand still.</summary>
    public async Task Freeze()
    {
        // One that is forking while it is told leaves a child that was not.
        for (var pass = 0; pass < MostPasses; pass++)
        {
            // One that waits for its disk uses no CPU, and stops as soon as it has waited.
            var told = _cpu.Processes().Where(id => pass == 0 || StateOf(id) is not (null or 'T' or 'Z' or 'D')).ToList();
            if (told.Count == 0)
                return;
            await Signal("-STOP", told);
            await Task.Delay(Between);
        }

        throw new PreconditionException("the VMs can not be made to stand still.");
    }

    /// <summary>They go on, in the lowest class as the agent set it or, for comparison, at the weight that everything has.</summary>
    public async Task Go(bool lowest)
    {
        var notInForce = lowest ? _cpu.SetLowestClass() : SetDefaultClass();
        if (notInForce is not null)
            throw new PreconditionException($"the VMs' priority can not be set: {notInForce}");
        await Signal("-CONT", _cpu.Processes());
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(_cpu.Path))
            await Go(lowest: true);
        _usage.Dispose();
        await end();
    }

    private string? SetDefaultClass()
    {
        if (File.Exists(Path.Combine(_cpu.Path, "cpu.idle")) && _cpu.Set("cpu.idle", "0") is { } notInForce)
            return notInForce;
        return _cpu.SetShares(DefaultShares);
    }

    /// <summary>The group in the hierarchy with a controller.</summary>
    public static Cgroup At(string controller, string group) => Find(controller, group)
        ?? throw new PreconditionException($"no hierarchy of control groups has the controller {controller}.");

    /// <summary>The group in the hierarchy that accounts for CPU.</summary>
    public static Cgroup Account(string group) => Find("cpuacct", group) ?? At("cpu", group);

    private static Cgroup? Find(string controller, string group) =>
        CgroupMount.OfMachine().FirstOrDefault(mount => mount.Controllers.Contains(controller)) is { } mount ? new Cgroup(mount, group) : null;

    private static char? StateOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Sends a signal to processes.</summary>
    public static async Task Signal(string signal, IReadOnlyList<int> processes)
    {
        if (processes.Count == 0)
            return;
        // One that has ended meanwhile is no failure.
        using var kill = Process.Start(new ProcessStartInfo("kill", [signal, .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))]) { RedirectStandardError = true })!;
        await kill.WaitForExitAsync();
    }
}
