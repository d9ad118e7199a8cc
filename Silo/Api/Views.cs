using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Api;

/// <summary>A deployment record.</summary>
internal sealed record ContainerView(
    string Id, string App, int Revision, string Region, string Server, string Vm, ContainerState State, bool Healthy,
    string? Endpoint, string? Reason, int CpuMillis, int MemoryMiB, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt)
{
    public static ContainerView Of(ContainerRecord c) => new(
        c.Id, c.App, c.Revision, c.Region, c.Server, c.Vm, c.State, c.Healthy,
        c.Endpoint, c.Reason, c.Demand.CpuMillis, c.Demand.MemoryMiB, c.CreatedAt, c.StartedAt);
}

/// <summary>A VM with what is free in it.</summary>
internal sealed record VmView(
    string Id, string Region, string Server, string Name, string Driver, int CpuMillis, int MemoryMiB,
    int FreeCpuMillis, int FreeMemoryMiB, int Containers, bool Ready, string? Reason, bool Cordoned, bool Draining)
{
    public static VmView Of(VmStatus v) => new(
        GrainKeys.Vm(v.Vm.Region, v.Vm.Server, v.Vm.Name), v.Vm.Region, v.Vm.Server, v.Vm.Name, v.Vm.Driver, v.Vm.CpuMillis, v.Vm.MemoryMiB,
        v.FreeCpuMillis, v.FreeMemoryMiB, v.Containers, v.Vm.Ready, v.Vm.Reason,
        v.Vm.Cordoned || v.Vm.Leaving, v.Vm.Draining || v.Vm.Leaving);
}

/// <summary>
/// A server as the matching of its region sees it now; its thresholds are those in effect. While it is draining,
/// <paramref name="Containers"/> are those that have not left yet. <paramref name="CapMillis"/> is what its containers together may use of the CPU
/// while the primary needs it, else null; <paramref name="HeldBack"/> the share of the server's CPU that they would take more.
/// </summary>
internal sealed record ServerView(
    string Id, bool Online, bool Cordoned, bool Admitting, string? NotAdmittingReason, int CpuMillis, int MemoryMiB,
    Utilization? Utilization, Thresholds Thresholds, IReadOnlyList<VmView> Vms, IReadOnlyDictionary<string, string> Labels,
    bool Draining, int Containers, bool Suspect, DateTimeOffset? LastHeardAt, double? PrimaryWait,
    int? CapMillis, double HeldBack)
{
    public static ServerView Of(ServerStatus s) => new(
        GrainKeys.Server(s.Server.Region, s.Server.Name), s.Online, s.Server.Cordoned, s.Admitting, s.NotAdmittingReason,
        s.Server.CpuMillis, s.Server.MemoryMiB, s.Utilization, s.Thresholds, [.. s.Vms.Select(VmView.Of)], s.Server.Labels,
        s.Server.Draining, s.Vms.Sum(vm => vm.Containers), s.Suspect, s.LastHeardAt, s.PrimaryWait,
        s.CapMillis, s.HeldBack);
}

/// <summary>A region; the numbers are null when it does not answer, and <paramref name="Reason"/> says so.</summary>
internal sealed record RegionView(
    string Name, Thresholds? Thresholds, int? Servers, int? ServersOnline, int? ServersAdmitting, int? Vms, int? Containers, string? Reason,
    int? EvictAfterSeconds, int? LostAfterSeconds, int? CooldownSeconds, int? MovesAtOnce, int? MovesPerMinute)
{
    public static RegionView Of(string name, RegionPolicy policy, IReadOnlyList<ServerStatus> servers) => new(
        name, policy.Thresholds, servers.Count, servers.Count(s => s.Online), servers.Count(s => s.Admitting),
        servers.Sum(s => s.Vms.Count), servers.Sum(s => s.Vms.Sum(vm => vm.Containers)), null,
        policy.EvictAfterSeconds, policy.LostAfterSeconds, policy.CooldownSeconds, policy.MovesAtOnce, policy.MovesPerMinute);

    public static RegionView Silent(string name) =>
        new(name, null, null, null, null, null, null, "The region does not answer now; what runs there goes on running.", null, null, null, null, null);
}
