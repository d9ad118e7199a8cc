using System.Numerics;
using System.Runtime.Intrinsics;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Free room and headroom of every VM side by side in memory, eight VMs a step, for the questions that only looking at
/// all of them answers: the members of a new class, and the counts of a demand that is refused for the first time.
/// </summary>
internal sealed class VmRooms
{
    private const int Lanes = 8;
    private const int Fields = 4;
    private const int Closed = int.MinValue;

    /// <summary>Blocks of eight VMs: free CPU, free memory, headroom for CPU, headroom for memory.</summary>
    private int[] _rooms = [];
    private int[] _servers = [];
    private int _slots;

    /// <summary>Writes the VMs of a server as they are.</summary>
    public void Update(ServerEntry server)
    {
        if (server.Vms.Length > server.Slots) Move(server);
        var open = server.ClosedBy is null;
        for (var i = 0; i < server.Slots; i++)
        {
            var at = At(server.FirstSlot + i);
            var vm = i < server.Vms.Length ? server.Vms[i] : null;
            _rooms[at] = open && vm is { Takes: true } ? vm.FreeCpu : Closed;
            _rooms[at + Lanes] = vm?.FreeMemory ?? 0;
            _rooms[at + 2 * Lanes] = server.HeadroomCpu;
            _rooms[at + 3 * Lanes] = server.HeadroomMemory;
        }
    }

    /// <summary>Adds every server with a VM that matches the demand to a bitmap.</summary>
    public void Match(Demand demand, ulong[] servers)
    {
        var (cpu, memory) = (Vector256.Create(demand.CpuMillis), Vector256.Create(demand.MemoryMiB));
        for (var at = 0; at < Used; at += Lanes * Fields)
        {
            var lacks = Vector256.GreaterThan(cpu, Field(at, 0)) | Vector256.GreaterThan(memory, Field(at, 1))
                | Vector256.GreaterThan(cpu, Field(at, 2)) | Vector256.GreaterThan(memory, Field(at, 3));
            for (var fits = (byte)~lacks.ExtractMostSignificantBits(); fits != 0; fits &= (byte)(fits - 1))
                Bitmaps.Write(servers, _servers[at / Fields + BitOperations.TrailingZeroCount(fits)], true);
        }
    }

    /// <summary>Counts the open VMs that each rule excludes.</summary>
    /// <param name="demand">What one replica needs.</param>
    /// <param name="allowed">Bitmap of the servers with the right labels; null when any will do.</param>
    /// <param name="counts">By rule.</param>
    public void Count(Demand demand, ulong[]? allowed, int[] counts)
    {
        var (cpu, memory) = (Vector256.Create(demand.CpuMillis), Vector256.Create(demand.MemoryMiB));
        var (labels, noCpu, noMemory, cpuOver, memoryOver) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
        for (var at = 0; at < Used; at += Lanes * Fields)
        {
            // Each rule asks those that the rules before left over. A comparison is -1 where it holds: subtracting counts.
            var left = ~Vector256.Equals(Field(at, 0), Vector256.Create(Closed));
            left = allowed is null ? left : Exclude(left, ~Labelled(at, allowed), ref labels);
            left = Exclude(left, Vector256.GreaterThan(cpu, Field(at, 0)), ref noCpu);
            left = Exclude(left, Vector256.GreaterThan(memory, Field(at, 1)), ref noMemory);
            left = Exclude(left, Vector256.GreaterThan(cpu, Field(at, 2)), ref cpuOver);
            Exclude(left, Vector256.GreaterThan(memory, Field(at, 3)), ref memoryOver);
        }
        counts[(int)PlacementRule.Constraints] += Vector256.Sum(labels);
        counts[(int)PlacementRule.FreeCpu] += Vector256.Sum(noCpu);
        counts[(int)PlacementRule.FreeMemory] += Vector256.Sum(noMemory);
        counts[(int)PlacementRule.CpuThreshold] += Vector256.Sum(cpuOver);
        counts[(int)PlacementRule.MemoryThreshold] += Vector256.Sum(memoryOver);
    }

    private static Vector256<int> Exclude(Vector256<int> left, Vector256<int> excluded, ref Vector256<int> count)
    {
        count -= left & excluded;
        return Vector256.AndNot(left, excluded);
    }

    private Vector256<int> Labelled(int at, ulong[] allowed)
    {
        Span<int> lanes = stackalloc int[Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            var server = _servers[at / Fields + lane];
            lanes[lane] = -(int)((allowed[server >> 6] >> server) & 1);
        }
        return Vector256.Create((ReadOnlySpan<int>)lanes);
    }

    private Vector256<int> Field(int at, int field) => Vector256.LoadUnsafe(ref _rooms[at + field * Lanes]);

    private int Used => (_slots + Lanes - 1) / Lanes * Lanes * Fields;

    private static int At(int slot) => (slot / Lanes * Lanes * Fields) + slot % Lanes;

    /// <summary>More slots for a server that has more VMs than before: twice as many, so that moving stays rare.</summary>
    private void Move(ServerEntry server)
    {
        for (var i = 0; i < server.Slots; i++) _rooms[At(server.FirstSlot + i)] = Closed;
        (server.FirstSlot, server.Slots) = (_slots, Math.Max(server.Vms.Length, 2 * server.Slots));
        Reserve(_slots + server.Slots);
        for (var i = 0; i < server.Slots; i++) _servers[server.FirstSlot + i] = server.Id;
        _slots += server.Slots;
    }

    private void Reserve(int slots)
    {
        var had = _servers.Length;
        if (slots <= had) return;
        var blocks = (Math.Max(slots, 2 * had) + Lanes - 1) / Lanes;
        Array.Resize(ref _servers, blocks * Lanes);
        Array.Resize(ref _rooms, blocks * Lanes * Fields);
        for (var slot = had; slot < _servers.Length; slot++) _rooms[At(slot)] = Closed;
    }
}
