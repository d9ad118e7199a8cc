using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Pressure;

/// <summary>Containers that are held to less CPU than they would take.</summary>
/// <param name="CapMillis">What all of them together may use, in thousandths of a core.</param>
/// <param name="Millis">What each would take more, by its id, in thousandths of a core; who misses nothing is not in it.</param>
/// <param name="Share">All of that, as a share of the server's CPU.</param>
internal sealed record Hold(int CapMillis, IReadOnlyDictionary<string, int> Millis, double Share);

/// <summary>
/// Estimates what containers would take that are held to a cap. Without that the cap would hide the pressure it answers: the server
/// looks as if it had room, and nobody moves its containers to where they could have what they want.
/// </summary>
/// <remarks>
/// They would take what they took before the cap. Who came to want more since, nobody knows; as long as the cap is felt, at least
/// another step of it, within what the VM has.
/// </remarks>
internal sealed class HeldBack
{
    private Dictionary<string, int> _before = [];

    /// <summary>What they are kept from in a measurement; null without a cap.</summary>
    /// <param name="measured">Every measurement, in the order of time.</param>
    /// <param name="capMillis">The cap that was in force while it was taken.</param>
    /// <param name="server">What the server has.</param>
    /// <param name="vms">What its VMs have.</param>
    public Hold? Next(Measurement measured, int? capMillis, Capacity server, IReadOnlyList<VmSettings> vms)
    {
        if (capMillis is not { } cap)
        {
            _before = measured.Containers.ToDictionary(one => one.Container.Id, one => one.CpuMillis);
            return null;
        }

        var held = QuotaController.IsFelt(measured.Server.ContainersCpuMillis, cap) ? Missed(measured.Containers, vms) : [];
        return new Hold(cap, held, (double)held.Values.Sum() / server.CpuMillis);
    }

    private Dictionary<string, int> Missed(IReadOnlyList<ContainerUsage> containers, IReadOnlyList<VmSettings> vms) => containers
        .Select(one => (one.Container.Id, Millis: Math.Min(Wanted(one), Limit(one, vms)) - one.CpuMillis))
        .Where(one => one.Millis > 0)
        .ToDictionary(one => one.Id, one => one.Millis);

    private int Wanted(ContainerUsage one) => Math.Max(_before.GetValueOrDefault(one.Container.Id), (int)(one.CpuMillis * QuotaController.Up));

    private static int Limit(ContainerUsage one, IReadOnlyList<VmSettings> vms) =>
        vms.FirstOrDefault(vm => vm.Name == one.Container.Vm)?.Capacity.CpuMillis ?? int.MaxValue;
}
