using System.Globalization;
using Hosting.Apps;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Domain.Eviction;

/// <summary>A container that has to leave its server.</summary>
/// <param name="Container">Its record.</param>
/// <param name="Cause">The strongest cause.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record Departure(ContainerRecord Container, MoveCause Cause, string Reason)
{
    /// <summary>The containers that leave because their server or VM is lost, or drained by an operator; each for one cause, loss first.</summary>
    /// <param name="server">The server.</param>
    /// <param name="vms">Its VMs.</param>
    /// <param name="loss">What was heard of it.</param>
    /// <param name="live">Its containers that are not over.</param>
    /// <param name="policy">The region's policy.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<Departure> Of(
        ServerRecord server, IReadOnlyList<VmRecord> vms, LossWatch loss, IReadOnlyList<ContainerRecord> live, RegionPolicy policy, DateTimeOffset now)
    {
        var departures = new List<Departure>(live.Count);
        foreach (var vm in live.GroupBy(c => c.Vm, StringComparer.Ordinal))
            if (WhyLost(server, vm.Key, loss, policy, now) is { } lost)
                departures.AddRange(vm.Select(c => new Departure(c, MoveCause.Lost, lost)));
            else if (WhyDrained(server, vms, vm.Key) is { } drained)
                departures.AddRange(vm.Select(c => new Departure(c, MoveCause.Drain, drained)));
        return departures;
    }

    private static string? WhyLost(ServerRecord server, string vm, LossWatch loss, RegionPolicy policy, DateTimeOffset now)
    {
        var lostAfter = TimeSpan.FromSeconds(policy.LostAfterSeconds);
        return loss.IsLost(lostAfter, now)
            ? string.Create(CultureInfo.InvariantCulture, $"server {server.Name} has not been heard from for {loss.Silence(now).TotalSeconds:0} s")
            : loss.WhyLost(vm, lostAfter, now);
    }

    private static string? WhyDrained(ServerRecord server, IReadOnlyList<VmRecord> vms, string vm) =>
        server.Draining ? $"server {server.Name} is being drained"
        : vms.Any(v => v.Name == vm && v.Draining) ? $"VM {vm} of {server.Name} is being drained"
        : vms.Any(v => v.Name == vm && v.Leaving) ? $"VM {vm} is leaving {server.Name}"
        : null;
}
