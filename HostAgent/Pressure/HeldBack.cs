using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Pressure;

/// <summary>Containers that are held to less CPU than they would take.</summary>
/// <param name="CapMillis">What all of them together may use, in thousandths of a core.</param>
/// <param name="Millis">What each took more before, by its id, in thousandths of a core; who misses nothing is not in it.</param>
/// <param name="Share">All of that, as a share of the server's CPU.</param>
internal sealed record Hold(int CapMillis, IReadOnlyDictionary<string, int> Millis, double Share);

/// <summary>
/// Remembers what containers took before they were held to a cap. Without that the cap would hide the pressure it answers: the server
/// looks as if it had room, and nobody moves its containers to where they could have what they want.
/// </summary>
internal sealed class HeldBack
{
    private Dictionary<string, int> _before = [];

    /// <summary>What they are kept from in a measurement; null without a cap.</summary>
    /// <param name="measured">Every measurement, in the order of time.</param>
    /// <param name="capMillis">The cap that was in force while it was taken.</param>
    /// <param name="capacityMillis">What the server has.</param>
    public Hold? Next(Measurement measured, int? capMillis, int capacityMillis)
    {
        if (capMillis is not { } cap)
        {
            _before = measured.Containers.ToDictionary(one => one.Container.Id, one => one.CpuMillis);
            return null;
        }

        var held = QuotaController.IsFelt(measured.Server.ContainersCpuMillis, cap) ? Missed(measured.Containers) : [];
        return new Hold(cap, held, (double)held.Values.Sum() / capacityMillis);
    }

    private Dictionary<string, int> Missed(IReadOnlyList<ContainerUsage> containers) => containers
        .Select(one => (one.Container.Id, Millis: _before.GetValueOrDefault(one.Container.Id) - one.CpuMillis))
        .Where(one => one.Millis > 0)
        .ToDictionary(one => one.Id, one => one.Millis);
}
