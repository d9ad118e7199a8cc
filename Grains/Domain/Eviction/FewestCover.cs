using Hosting.Placement;

namespace Hosting.Domain.Eviction;

/// <summary>
/// The fewest items that together reach a sum of CPU and a sum of memory. With two sums greed fails (the biggest of either
/// kind may be the wrong ones), so for each number of items the sums worth having are kept: those that no other sum of as
/// many items reaches in both. A sum over what is needed is worth no more than the need itself, which keeps them few.
/// </summary>
internal static class FewestCover
{
    // Past either the sums with most memory are forgotten, and the answer may be one item too many. Real servers come nowhere near.
    private const int MostSums = 1_024;
    private const int MostSumsTogether = 2_000_000;

    private sealed record Sum(int Cpu, int Memory, int Item, Sum? Without);

    private static readonly List<Sum> Nothing = [new Sum(0, 0, -1, null)];

    /// <summary>Positions of the fewest items; null when all of them are not enough.</summary>
    /// <param name="items">What each brings, 0 or more.</param>
    /// <param name="need">What they have to reach, 0 or more.</param>
    public static IReadOnlyList<int>? Find(IReadOnlyList<Demand> items, Demand need)
    {
        if (Greedy(items, need) is not { } simple) return null;
        var most = simple.Count;
        var sumsEach = Math.Clamp(MostSumsTogether / Math.Max(1, items.Count * most), 16, MostSums);
        var bySize = new List<Sum>[most + 1];
        bySize[0] = Nothing;
        for (var size = 1; size <= most; size++) bySize[size] = [];
        for (var item = 0; item < items.Count; item++)
            for (var size = Math.Min(most, item + 1); size > 0; size--)
                bySize[size] = Merge(bySize[size], bySize[size - 1], item, items[item], need, sumsEach);
        foreach (var sums in bySize)
            if (sums.Find(sum => sum.Cpu >= need.CpuMillis && sum.Memory >= need.MemoryMiB) is { } best) return Items(best);
        return simple;
    }

    /// <summary>Items that suffice, the most useful first; null when all do not.</summary>
    private static List<int>? Greedy(IReadOnlyList<Demand> items, Demand need)
    {
        var left = Enumerable.Range(0, items.Count).ToList();
        var taken = new List<int>();
        var (cpu, memory) = (need.CpuMillis, need.MemoryMiB);
        while (cpu > 0 || memory > 0)
        {
            if (left.Count == 0) return null;
            var best = left.MaxBy(i => Useful(items[i].CpuMillis, cpu) + Useful(items[i].MemoryMiB, memory));
            left.Remove(best);
            taken.Add(best);
            cpu -= items[best].CpuMillis;
            memory -= items[best].MemoryMiB;
        }
        return taken;
    }

    private static double Useful(int brings, int need) => need <= 0 ? 0 : Math.Min(1, (double)brings / need);

    /// <summary>The sums of one size, and those of one item less with that item; sorted by CPU, the most first, so that memory grows.</summary>
    private static List<Sum> Merge(List<Sum> sums, List<Sum> smaller, int item, Demand brings, Demand need, int most)
    {
        var merged = new List<Sum>(sums.Count + smaller.Count);
        for (int i = 0, j = 0; i < sums.Count || j < smaller.Count;)
        {
            var cpu = j < smaller.Count ? Math.Min(need.CpuMillis, smaller[j].Cpu + brings.CpuMillis) : -1;
            if (i < sums.Count && sums[i].Cpu >= cpu) Keep(merged, sums[i++], most);
            else Keep(merged, new Sum(cpu, Math.Min(need.MemoryMiB, smaller[j].Memory + brings.MemoryMiB), item, smaller[j++]), most);
        }
        return merged;
    }

    private static void Keep(List<Sum> sums, Sum sum, int most)
    {
        if (sums.Count > 0 && sums[^1].Memory >= sum.Memory) return;
        if (sums.Count > 0 && sums[^1].Cpu == sum.Cpu) sums[^1] = sum;
        else if (sums.Count < most) sums.Add(sum);
    }

    private static List<int> Items(Sum best)
    {
        var items = new List<int>();
        for (Sum? sum = best; sum is { Item: >= 0 }; sum = sum.Without) items.Add(sum.Item);
        items.Reverse();
        return items;
    }
}
