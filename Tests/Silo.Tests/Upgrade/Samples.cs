using Hosting.Apps;
using Hosting.Placement;
using Hosting.Protocol;
using Hosting.Regions;
using Hosting.Servers;
using Hosting.Vms;
using Google.Protobuf;
using ContainerState = Hosting.Placement.ContainerState;
using HealthCheck = Hosting.Apps.HealthCheck;
using Utilization = Hosting.Placement.Utilization;
using VmReport = Hosting.Servers.VmReport;

namespace Hosting.Silo.Tests.Upgrade;

/// <summary>Messages of every kind, with something in every field, to be recorded.</summary>
internal static class Samples
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static readonly AppSpec Spec = new()
    {
        Image = "shop:1", Command = ["run"], Args = ["-v"], Port = 8080, CpuMillis = 250, MemoryMiB = 64, Replicas = 3, Regions = [new("eu-1", 2), new("us-1", 1)],
        Env = new Dictionary<string, string> { ["KEY"] = "value" }, Hostnames = ["shop.example.com"], StopGraceSeconds = 7, Spread = Spread.None,
        HealthCheck = new HealthCheck { Path = "/healthz", IntervalSeconds = 3, TimeoutSeconds = 2, HealthyAfter = 2, UnhealthyAfter = 4, GracePeriodSeconds = 9 },
        Rollout = new RolloutSpec { MaxSurge = 2, MaxUnavailable = 1, ProgressDeadlineSeconds = 60 },
        Constraints = new Dictionary<string, string> { ["disk"] = "ssd" }, Placement = PlacementMode.AllOrNothing, MinPerRegion = 1, Failover = true,
    };

    private static readonly ContainerRecord Record = new()
    {
        Id = "shop-7f3", App = "shop", Revision = 2, Region = "eu-1", Server = "srv-1", Vm = "vm-1", Demand = new Demand(250, 64), State = ContainerState.Running,
        Healthy = true, Endpoint = "10.0.0.1:80", Reason = "why", CreatedAt = Noon, StartedAt = Noon.AddSeconds(1),
    };

    private static readonly ServerRecord Server = new()
    {
        Region = "eu-1", Name = "srv-1", CpuMillis = 4000, MemoryMiB = 8192, Labels = new Dictionary<string, string> { ["disk"] = "ssd" }, Cordoned = true,
        Thresholds = new Thresholds(0.5, 0.7), Draining = true,
    };

    private static readonly VmRecord Vm = new()
    {
        Region = "eu-1", Server = "srv-1", Name = "vm-1", Driver = "nested", CpuMillis = 2000, MemoryMiB = 4096, Ready = true, Reason = "why", Cordoned = true, Draining = true,
    };

    private static readonly ContainerStatus Status = new()
    {
        Vm = "vm-1", Id = "shop-7f3", State = ContainerState.Running, Healthy = true, Endpoint = "10.0.0.1:80", Reason = "why", StartedAt = Noon,
    };

    private static readonly UtilizationReport Report = new()
    {
        SampledAt = Noon, Utilization = new Utilization(0.5, 0.25, 0.125), Vms = [new VmReport("vm-1", true, 7, "why", true)],
        Usage = [new("shop-7f3", 250, 64, 40)], PrimaryWait = 0.25, CapMillis = 300, HeldBack = 0.3,
    };

    private static readonly RouteTable Table = new() { App = "shop", Region = "eu-1", Version = new(5, 6), Endpoints = [new("shop-7f3", "10.0.0.1:80")] };

    /// <summary>Between silos, and between silos and gateways or SDK clients of another version.</summary>
    public static IEnumerable<object> BetweenGrains =>
    [
        Spec, Record, Server, Vm, Report, new ServerReport("srv-1", Report), Table,
        new AppRoute { App = "shop", Version = new(3, 4), Hostnames = ["shop.example.com"], Regions = [Table] },
        new AppStatus { Name = "shop", Revision = 2, Phase = AppPhase.Degraded, Desired = 3, Ready = 2, Message = "why", Spec = Spec, Serving = 1, Url = "http://shop" },
        new DeployResult { Outcome = DeployOutcome.Conflict, Errors = [new("name", "why")] },
        new ReplicaSetSpec { Revision = 2, Spec = Spec, Replicas = 3, Retired = true, Generation = 9 },
        new ReplicaSetStatus { Revision = 2, Desired = 3, Ready = 2, Updated = 1, Containers = 4, Failure = "why", Retired = true, Stopped = "why", Serving = 1, Moving = 1, Stuck = "why" },
        new ContainerMove("shop-7f3", MoveCause.Pressure, "why", Noon), new ContainerRelease("shop-7f3", ContainerState.Failed, "why"), new ContainerStart("shop-7f3", Noon),
        new PlacementRequest
        {
            App = "shop", Revision = 2, Demand = new Demand(250, 64), Count = 3, Spread = Spread.None, AllOrNothing = true,
            Constraints = new Dictionary<string, string> { ["disk"] = "ssd" }, Avoid = ["srv-2"],
        },
        new PlacementResult { Placed = [Record], Refusal = new PlacementRefusal { Vms = 4, Rules = [new(default, 4)], Message = "why" } },
        new MoveQuestion { Server = "srv-1", Candidates = [new("shop-7f3", new Dictionary<string, string> { ["disk"] = "ssd" }, true)], Urgent = true },
        new Hosting.Vms.DesiredVm { Vm = "vm-1", Version = 7, Containers = [new() { Id = "shop-7f3", App = "shop", Revision = 2, Spec = Spec, Stop = true }] },
        new AgentHello { Session = 5, Server = Server, Vms = [Vm], Containers = [Status] }, Status,
        new RegionPolicy { Thresholds = new(0.5, 0.7), EvictAfterSeconds = 6, LostAfterSeconds = 11, CooldownSeconds = 200, MovesAtOnce = 4, MovesPerMinute = 40 },
    ];

    /// <summary>Every kind of message that an agent and the hub send, and a conversation of one server.</summary>
    public static IEnumerable<IMessage> Agents =>
    [
        .. Kinds(AgentMessage.Descriptor), .. Kinds(HubMessage.Descriptor),
        new AgentMessage { Hello = new Hello { Region = "eu-1", Server = "srv-9", Session = 1, CpuMillis = 4000, MemoryMib = 8192, AgentVersion = "1", Vms = { new Protocol.Vm { Name = "vm-1", Driver = "nested", CpuMillis = 1000, MemoryMib = 2048, Ready = true } } } },
        new AgentMessage { Utilization = new Protocol.Utilization { SampledAt = Noon.ToUnixTimeMilliseconds(), Cpu = 0.125, Memory = 0.25, PrimaryCpu = 0.125, Vms = { new Protocol.VmReport { Vm = "vm-1", Ready = true, AppliedVersion = 1 } } } },
    ];

    private static IEnumerable<IMessage> Kinds(Google.Protobuf.Reflection.MessageDescriptor type) =>
        type.Oneofs[0].Fields.Select(kind => Recording.Filled(type, kind));
}
