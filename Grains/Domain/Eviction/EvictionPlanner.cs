using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>
/// Chooses the fewest containers whose leaving brings a server under its admit threshold, for CPU and for memory, each
/// where it is over its evict threshold.
/// </summary>
/// <remarks>
/// Those that leave already count as gone. When not even all of them suffice, all leave: the primary alone takes what the
/// threshold leaves to guests, so there is no room for any.
/// </remarks>
public static class EvictionPlanner
{
    /// <summary>The plan for one moment; the same answer for the same question, whatever the order of the guests.</summary>
    /// <param name="load">How full the server is.</param>
    /// <param name="guests">Containers that may be chosen.</param>
    public static EvictionPlan Plan(in ServerLoad load, IReadOnlyList<Guest> guests)
    {
        var needed = new Demand(
            Needed(load.Utilization.Cpu, load.Capacity.CpuMillis, load.Leaving.CpuMillis, load.Thresholds),
            Needed(load.Utilization.Memory, load.Capacity.MemoryMiB, load.Leaving.MemoryMiB, load.Thresholds));
        if (needed == default) return EvictionPlan.Nobody;
        var ordered = Ordered(guests, load.Capacity);
        return FewestCover.Find(ordered.ConvertAll(guest => guest.Frees), needed) is { } chosen
            ? new EvictionPlan([.. chosen.Select(i => ordered[i].Id)], true, needed)
            : new EvictionPlan([.. ordered.Select(guest => guest.Id)], false, needed);
    }

    /// <summary>The least amount whose leaving brings the share under the admit threshold. A share that is no number asks for nothing.</summary>
    private static int Needed(double share, int capacity, int leaving, Thresholds thresholds)
    {
        if (!(share > thresholds.Evict)) return 0;
        var amount = Math.Max(0, (int)Math.Floor((share - thresholds.Admit) * capacity) - leaving);
        while (amount > 0 && Under(amount - 1)) amount--;
        while (!Under(amount)) amount++;
        return amount;

        bool Under(int freed) => share - ((double)leaving + freed) / capacity < thresholds.Admit;
    }

    private static List<Guest> Ordered(IReadOnlyList<Guest> guests, Demand capacity) =>
        [.. guests.OrderByDescending(guest => Share(guest, capacity)).ThenBy(guest => guest.Id, StringComparer.Ordinal)];

    private static double Share(Guest guest, Demand capacity) =>
        Math.Max((double)guest.Frees.CpuMillis / capacity.CpuMillis, (double)guest.Frees.MemoryMiB / capacity.MemoryMiB);
}
