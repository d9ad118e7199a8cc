namespace Hosting.HostAgent.Elastic;

/// <summary>Memory of one VM, in MiB.</summary>
/// <param name="Most">What it offers when the server has room.</param>
/// <param name="Held">What the server holds back of that now.</param>
/// <param name="Promised">What its containers are promised.</param>
internal readonly record struct VmMemory(int Most, int Held, int Promised)
{
    /// <summary>A VM offers at least so much.</summary>
    public const int Least = Configuration.VmSizes.LeastMemoryMiB;

    /// <summary>What it offers: never less than its containers were promised, not even when its configuration shrinks.</summary>
    public int Offered => Math.Max(Math.Max(Most - Held, Promised), Math.Min(Least, Most));

    /// <summary>What may still be held back of it.</summary>
    public int CanGive => Math.Max(0, Offered - Math.Max(Promised, Math.Min(Least, Most)));
}

/// <summary>
/// How much memory the server holds back of its VMs: before it is so full that containers have to leave, it takes what they have no need
/// of, and gives it back when there has been room for a while. Immutable and pure.
/// </summary>
internal readonly record struct MemoryBalance
{
    /// <summary>Nearer to the evict threshold than this the server takes memory back, as a share of its memory.</summary>
    public const double TakeMargin = 0.05;

    /// <summary>It takes so much that it is this far from the threshold.</summary>
    public const double TakenMargin = 0.10;

    /// <summary>Only room beyond this is given: though all of it be used, nothing is taken back for it.</summary>
    public const double GiveMargin = 0.15;

    /// <summary>Time between two takes: what was taken shows in the measurement by then.</summary>
    public static readonly TimeSpan TakeEvery = TimeSpan.FromSeconds(2);

    /// <summary>Time with room before some is given, and between two gifts.</summary>
    public static readonly TimeSpan GiveAfter = TimeSpan.FromSeconds(10);

    private DateTimeOffset TookAt { get; init; }

    private DateTimeOffset? RoomSince { get; init; }

    /// <summary>The next state, and what to hold back of each VM from now on, in MiB.</summary>
    /// <param name="vms">The VMs.</param>
    /// <param name="share">Share of the server's memory in use, by anyone.</param>
    /// <param name="evict">The share over which containers have to leave.</param>
    /// <param name="serverMiB">Memory of the server.</param>
    /// <param name="now">The time of the measurement.</param>
    public (MemoryBalance Next, IReadOnlyList<int> Held) Next(IReadOnlyList<VmMemory> vms, double share, double evict, int serverMiB, DateTimeOffset now)
    {
        if (share > evict - TakeMargin)
            return now - TookAt < TakeEvery
                ? (this with { RoomSince = null }, [.. vms.Select(vm => vm.Held)])
                : (new MemoryBalance { TookAt = now }, Take(vms, (int)Math.Ceiling((share - evict + TakenMargin) * serverMiB)));
        var room = (int)Math.Floor((evict - GiveMargin - share) * serverMiB);
        var next = this with { RoomSince = room > 0 ? RoomSince ?? now : null };
        return next.RoomSince is { } since && now - since >= GiveAfter
            ? (next with { RoomSince = now }, Give(vms, room))
            : (next, [.. vms.Select(vm => vm.Held)]);
    }

    /// <summary>Holds back so much more, or all that can be, of each as much as it can spare.</summary>
    internal static IReadOnlyList<int> Take(IReadOnlyList<VmMemory> vms, int wantedMiB)
    {
        var parts = Share([.. vms.Select(vm => vm.CanGive)], wantedMiB);
        return [.. vms.Zip(parts, (vm, part) => part == 0 ? vm.Held : vm.Most - vm.Offered + part)];
    }

    /// <summary>Gives so much back, or all that is held, to each as much as it misses.</summary>
    internal static IReadOnlyList<int> Give(IReadOnlyList<VmMemory> vms, int roomMiB) =>
        [.. vms.Zip(Share([.. vms.Select(vm => vm.Held)], roomMiB), (vm, part) => vm.Held - part)];

    private static int[] Share(int[] from, int wanted)
    {
        var all = from.Sum(one => (long)one);
        long left = Math.Clamp(wanted, 0, all);
        var parts = new int[from.Length];
        for (var i = 0; i < from.Length && all > 0; i++)
        {
            // Rounded up, and the last takes what is left: the parts make the whole exactly.
            parts[i] = (int)(((left * from[i]) + all - 1) / all);
            (left, all) = (left - parts[i], all - from[i]);
        }

        return parts;
    }
}
