using Hosting.Placement;
using Hosting.Servers;
using Hosting.Vms;

namespace Hosting.Silo.Agents;

/// <summary>Between the agents' protocol and the grains' vocabulary.</summary>
internal static partial class AgentMessages
{
    public static AgentHello Read(Protocol.Hello hello) => new()
    {
        Session = hello.Session,
        Server = new ServerRecord
        {
            Region = hello.Region,
            Name = hello.Server,
            CpuMillis = hello.CpuMillis,
            MemoryMiB = hello.MemoryMib,
            Labels = new Dictionary<string, string>(hello.Labels),
        },
        Vms = [.. hello.Vms.Select(vm => new VmRecord
        {
            Region = hello.Region,
            Server = hello.Server,
            Name = vm.Name,
            Driver = vm.Driver,
            CpuMillis = vm.CpuMillis,
            MemoryMiB = vm.MemoryMib,
            Ready = vm.Ready,
            Reason = NullIfEmpty(vm.Reason),
            Leaving = vm.Leaving,
        })],
        Containers = Read(hello.Containers),
    };

    public static UtilizationReport Read(Protocol.Utilization utilization) => new()
    {
        SampledAt = DateTimeOffset.FromUnixTimeMilliseconds(utilization.SampledAt),
        Utilization = new Utilization(utilization.Cpu, utilization.Memory, utilization.PrimaryCpu),
        Vms = [.. utilization.Vms.Select(vm => new VmReport(
            vm.Vm, vm.Ready, vm.AppliedVersion, NullIfEmpty(vm.Reason), vm.Gone, Math.Max(0, vm.CpuMillis), Math.Max(0, vm.MemoryMib), vm.Leaving))],
        Usage = [.. utilization.Usage.Select(one => new ContainerUsage(one.Container, one.CpuMillis, one.MemoryMib, Math.Max(0, one.HeldMillis)))],
        PrimaryWait = utilization.HasPrimaryWait ? Math.Clamp(utilization.PrimaryWait, 0, 1) : null,
        CapMillis = utilization.HasCapMillis ? utilization.CapMillis : null,
        HeldBack = double.IsFinite(utilization.HeldBack) ? Math.Clamp(utilization.HeldBack, 0, 1) : 0,
        Unprotected = NullIfEmpty(utilization.Unprotected),
    };

    public static IReadOnlyList<ContainerStatus> Read(IEnumerable<Protocol.Container> containers) =>
        [.. containers.Where(c => c.State != Protocol.ContainerState.Unspecified).Select(Read)];

    public static Protocol.HubMessage Write(DesiredVm desired)
    {
        var message = new Protocol.DesiredVm { Vm = desired.Vm, Version = desired.Version };
        message.Containers.AddRange(desired.Containers.Select(Write));
        return new Protocol.HubMessage { Desired = message };
    }

    public static Protocol.HubMessage Write(ServerPolicy policy) => new()
    {
        Policy = new Protocol.Policy
        {
            Admit = policy.Thresholds.Admit, Evict = policy.Thresholds.Evict, EvictAfterSeconds = policy.EvictAfterSeconds,
        },
    };

    private static ContainerStatus Read(Protocol.Container container) => new()
    {
        Vm = container.Vm,
        Id = container.Id,
        State = container.State switch
        {
            Protocol.ContainerState.Running => ContainerState.Running,
            Protocol.ContainerState.Stopped => ContainerState.Stopped,
            Protocol.ContainerState.Failed => ContainerState.Failed,
            _ => ContainerState.Starting,
        },
        Healthy = container.Healthy,
        Endpoint = NullIfEmpty(container.Endpoint),
        Reason = NullIfEmpty(container.Reason),
        StartedAt = container.StartedAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(container.StartedAt),
    };

    private static Protocol.DesiredContainer Write(DesiredContainer container)
    {
        var spec = container.Spec;
        var check = spec.HealthCheck ?? new Apps.HealthCheck();
        var message = new Protocol.DesiredContainer
        {
            Id = container.Id,
            App = container.App,
            Revision = container.Revision,
            Image = spec.Image,
            Port = spec.Port,
            CpuMillis = spec.CpuMillis,
            MemoryMib = spec.MemoryMiB,
            StopGraceSeconds = spec.StopGraceSeconds,
            Stop = container.Stop,
            ReadOnlyRoot = spec.ReadOnlyRoot,
            HealthCheck = new Protocol.HealthCheck
            {
                Path = check.Path ?? "",
                IntervalSeconds = check.IntervalSeconds,
                TimeoutSeconds = check.TimeoutSeconds,
                HealthyAfter = check.HealthyAfter,
                UnhealthyAfter = check.UnhealthyAfter,
                GracePeriodSeconds = check.GracePeriodSeconds,
            },
        };
        message.Command.AddRange(spec.Command ?? []);
        message.Args.AddRange(spec.Args ?? []);
        foreach (var (key, value) in spec.Env ?? new Dictionary<string, string>())
            message.Env[key] = value;
        return message;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
