using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Hosting.Protocol;
using Version = System.Version;

namespace Hosting.HostAgent.Hub;

/// <summary>What the agent says.</summary>
internal static class AgentMessages
{
    private static readonly string AgentVersion = (typeof(AgentMessages).Assembly.GetName().Version ?? new Version(0, 0)).ToString();

    public static AgentMessage Hello(AgentSettings settings, long session, IEnumerable<VmSupervisor> vms, IEnumerable<Container> containers)
    {
        var hello = new Hello
        {
            Region = settings.Region,
            Server = settings.Server,
            Session = session,
            CpuMillis = settings.Capacity.CpuMillis,
            MemoryMib = settings.Capacity.MemoryMiB,
            AgentVersion = AgentVersion,
        };
        foreach (var label in settings.Labels)
            hello.Labels.Add(label.Key, label.Value);
        hello.Vms.AddRange(vms.Select(Describe));
        hello.Containers.AddRange(containers);
        return new AgentMessage { Hello = hello };
    }

    public static AgentMessage Utilization(Measurement measured, IEnumerable<VmSupervisor> vms)
    {
        var server = measured.Server;
        var message = new Protocol.Utilization
        {
            SampledAt = measured.At.ToUnixTimeMilliseconds(), Cpu = server.Cpu, Memory = server.Memory, PrimaryCpu = server.PrimaryCpu,
        };
        if (measured.PrimaryWait is { } wait)
            message.PrimaryWait = wait;
        if (measured.Hold is { } hold)
            (message.CapMillis, message.HeldBack) = (hold.CapMillis, hold.Share);
        message.Unprotected = measured.Unprotected ?? "";
        message.Usage.AddRange(measured.Containers.Select(one => new Protocol.ContainerUsage
        {
            Container = one.Container.Id, CpuMillis = one.CpuMillis, MemoryMib = one.MemoryMiB,
            HeldMillis = measured.Hold?.Millis.GetValueOrDefault(one.Container.Id) ?? 0,
        }));
        message.Vms.AddRange(vms.Select(one => new VmReport
        {
            Vm = one.Vm.Name, Ready = one.NotReady is null, Reason = one.NotReady ?? "", AppliedVersion = one.Reconciler.AppliedVersion,
            CpuMillis = one.Offered.CpuMillis, MemoryMib = one.Offered.MemoryMiB, Leaving = one.Leaving,
        }));
        return new AgentMessage { Utilization = message };
    }

    public static AgentMessage Changes(IEnumerable<Container> containers)
    {
        var changes = new ContainerChanges();
        changes.Containers.AddRange(containers);
        return new AgentMessage { Containers = changes };
    }

    private static Vm Describe(VmSupervisor one) => new()
    {
        Name = one.Vm.Name,
        Driver = one.Vm.Driver switch { VmDriverKind.Engine => "engine", VmDriverKind.Qemu => "qemu", _ => "nested" },
        CpuMillis = one.Offered.CpuMillis,
        MemoryMib = one.Offered.MemoryMiB,
        Ready = one.NotReady is null,
        Reason = one.NotReady ?? "",
        Leaving = one.Leaving,
    };
}
