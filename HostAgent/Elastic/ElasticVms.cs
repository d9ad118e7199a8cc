using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Elastic;

/// <summary>Keeps the VMs at the size that the server can spare, with or without a control plane.</summary>
internal sealed class ElasticVms(Capacity server, VmFleet fleet, ServerWatch watch, ControlPlane control, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private readonly Dictionary<string, int> _held = [];
    private MemoryBalance _balance;
    private int _told;

    /// <summary>Works until cancelled. The next agent begins with nothing held back.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (watch.Latest is { } measured)
                await LookAsync(measured, cancellation);
            await Task.Delay(Every, time, cancellation);
        }
    }

    private async Task LookAsync(Measurement measured, CancellationToken cancellation)
    {
        var all = fleet.Vms;
        // Memory of a VM that somebody else runs is not this server's.
        var vms = all.Where(vm => vm.Vm.Driver != VmDriverKind.Engine).ToList();
        (_balance, var held) = _balance.Next(vms.ConvertAll(MemoryOf), measured.Server.Memory, control.Evict, server.MemoryMiB, measured.At);
        Remember(vms, held);
        foreach (var vm in all)
            await vm.OfferAsync(vm.Vm.Capacity with { MemoryMiB = MemoryOf(vm).Offered }, cancellation);
        Tell(held.Sum(), measured.Server.Memory);
    }

    private VmMemory MemoryOf(VmSupervisor vm)
    {
        var most = vm.Vm.Capacity.MemoryMiB;
        return new VmMemory(most, Math.Min(most, _held.GetValueOrDefault(vm.Vm.Name)), vm.Vm.Driver == VmDriverKind.Engine ? 0 : vm.Reconciler.Promised.MemoryMiB);
    }

    private void Remember(List<VmSupervisor> vms, IReadOnlyList<int> held)
    {
        _held.Clear();
        foreach (var (vm, size) in vms.Zip(held))
            _held[vm.Vm.Name] = size;
    }

    /// <summary>Steps in between are no news.</summary>
    private void Tell(int held, double memory)
    {
        if (held > _told && _told == 0)
            log.LogInformation("The VMs give {Held} MiB back to the server and offer less: memory {Memory:0.00} is close to {Evict:0.00}", held, memory, control.Evict);
        else if (held == 0 && _told > 0)
            log.LogInformation("The VMs offer all of their memory again");
        _told = held;
    }
}
