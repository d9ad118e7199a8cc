using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Pressure;

/// <summary>
/// Reads back now and then that the lowest class is in force for every thread of every VM. While it is not, the server takes
/// nothing new, and says why.
/// </summary>
internal sealed class PriorityWatch(ServerGroups groups, Func<IReadOnlyList<VmSupervisor>> vms, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan NewsEvery = TimeSpan.FromSeconds(5);
    /// <summary>A process that an engine starts is for a moment where the engine is.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    /// <summary>Why the primary may feel the VMs; null when it should not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Checks until cancelled: every minute, soon after a VM was started, and more often while something is wrong.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        long? looked = null;
        var known = new HashSet<HostProcess>();
        while (true)
        {
            var running = vms().Select(vm => vm.FirstProcess).OfType<HostProcess>().ToHashSet();
            if (Fault is not null || looked is not { } last || time.GetElapsedTime(last) >= Every || !known.IsSupersetOf(running))
            {
                (looked, known) = (time.GetTimestamp(), running);
                Take(await LookAsync(cancellation));
            }

            await Task.Delay(NewsEvery, time, cancellation);
        }
    }

    /// <summary>Looks now: why the primary may feel the VMs; null when it should not.</summary>
    public async Task<string?> LookAsync(CancellationToken cancellation)
    {
        if (Look() is null)
            return null;
        await Task.Delay(Moment, time, cancellation);
        return Look();
    }

    private string? Look()
    {
        try
        {
            return groups.NotInForce() ?? vms().Select(Look).FirstOrDefault(fault => fault is not null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"its VMs' priority could not be read back: {error.Message}";
        }
    }

    private string? Look(VmSupervisor vm) => vm.FirstProcess is { } first
        ? PriorityCheck.Outside(PriorityCheck.ThreadsOf(first), $"/{groups.Idle}/{vm.Vm.Name}", $"/{groups.Engines}/{vm.Vm.Name}") is { } fault
            ? $"VM {vm.Vm.Name}: {fault}"
            : null
        : null;

    private void Take(string? fault)
    {
        if (fault == Fault)
            return;
        Fault = fault;
        if (fault is null)
            log.LogInformation("The VMs are behind the primary again");
        else
            log.LogWarning("The primary may feel the VMs, so this server takes nothing new: {Reason}", fault);
    }
}
