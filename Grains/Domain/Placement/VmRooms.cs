using System.Numerics;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Free room and headroom of every VM side by side in memory, 256 VMs a step, for the questions that only looking at
/// all of them answers: the members of a new class, and the counts of a demand that is refused for the first time.
/// </summary>
internal sealed class VmRooms
{
    private const int SlotsPerBlock = 64 * Candidates.Block;

    private readonly VmColumn _freeCpu = new();
    private readonly VmColumn _freeMemory = new();
    private readonly VmColumn _headroomCpu = new();
    private readonly VmColumn _headroomMemory = new();

    /// <summary>Bitmap of the slots whose VM and server take containers. What the columns hold of the others is out of date.</summary>
    private ulong[] _open = [];
    private ulong[] _left = [];
    private int[] _servers = [];
    private int _slots;

    /// <summary>Writes the VMs of a server as they are.</summary>
    public void Update(ServerEntry server)
    {
        if (server.Vms.Length > server.Slots) Move(server);
        var open = server.ClosedBy is null;
        for (var i = 0; i < server.Slots; i++) Write(server.FirstSlot + i, open && i < server.Vms.Length ? server.Vms[i] : null);
        if (!open || server.Slots == 0) return;
        _headroomCpu.Set(server.FirstSlot, server.Slots, server.HeadroomCpu);
        _headroomMemory.Set(server.FirstSlot, server.Slots, server.HeadroomMemory);
    }

    /// <summary>Adds every server with a VM that matches the demand to a bitmap.</summary>
    public void Match(Demand demand, ulong[] servers)
    {
        Begin();
        _freeCpu.Keep(_left, Words, demand.CpuMillis);
        _freeMemory.Keep(_left, Words, demand.MemoryMiB);
        _headroomCpu.Keep(_left, Words, demand.CpuMillis);
        _headroomMemory.Keep(_left, Words, demand.MemoryMiB);
        for (var word = 0; word < Words; word++)
            for (var fits = _left[word]; fits != 0; fits &= fits - 1)
                Bitmaps.Write(servers, _servers[word * 64 + BitOperations.TrailingZeroCount(fits)], true);
    }

    /// <summary>Counts the open VMs that each rule excludes.</summary>
    /// <param name="demand">What one replica needs.</param>
    /// <param name="allowed">Bitmap of the servers with the right labels; null when any will do.</param>
    /// <param name="counts">By rule.</param>
    public void Count(Demand demand, ulong[]? allowed, int[] counts)
    {
        // Each rule asks those that the rules before left over.
        var open = Begin();
        var labelled = allowed is null ? open : KeepOn(allowed);
        var haveCpu = _freeCpu.Keep(_left, Words, demand.CpuMillis);
        var haveMemory = _freeMemory.Keep(_left, Words, demand.MemoryMiB);
        var underCpu = _headroomCpu.Keep(_left, Words, demand.CpuMillis);
        var underMemory = _headroomMemory.Keep(_left, Words, demand.MemoryMiB);
        counts[(int)PlacementRule.Constraints] += open - labelled;
        counts[(int)PlacementRule.FreeCpu] += labelled - haveCpu;
        counts[(int)PlacementRule.FreeMemory] += haveCpu - haveMemory;
        counts[(int)PlacementRule.CpuThreshold] += haveMemory - underCpu;
        counts[(int)PlacementRule.MemoryThreshold] += underCpu - underMemory;
    }

    private int Words => Candidates.WordsFor(_slots);

    /// <summary>Starts over with every open VM.</summary>
    /// <returns>How many there are.</returns>
    private int Begin()
    {
        var open = 0;
        for (var word = 0; word < Words; word++) open += BitOperations.PopCount(_left[word] = _open[word]);
        return open;
    }

    /// <summary>Keeps the VMs on some servers.</summary>
    /// <returns>How many are left.</returns>
    private int KeepOn(ulong[] servers)
    {
        var left = 0;
        for (var word = 0; word < Words; word++)
        {
            var kept = 0UL;
            for (var some = _left[word]; some != 0; some &= some - 1)
            {
                var server = _servers[word * 64 + BitOperations.TrailingZeroCount(some)];
                kept |= (servers[server >> 6] >> server & 1) * (some & ~(some - 1));
            }
            left += BitOperations.PopCount(_left[word] = kept);
        }
        return left;
    }

    private void Write(int slot, VmEntry? vm)
    {
        var open = vm is { Takes: true };
        Bitmaps.Write(_open, slot, open);
        if (!open) return;
        _freeCpu.Set(slot, 1, vm!.FreeCpu);
        _freeMemory.Set(slot, 1, vm.FreeMemory);
    }

    /// <summary>More slots for a server that has more VMs than before: twice as many, so that moving stays rare.</summary>
    private void Move(ServerEntry server)
    {
        for (var i = 0; i < server.Slots; i++) Bitmaps.Write(_open, server.FirstSlot + i, false);
        (server.FirstSlot, server.Slots) = (_slots, Math.Max(server.Vms.Length, 2 * server.Slots));
        _slots += server.Slots;
        Reserve();
        for (var i = 0; i < server.Slots; i++) _servers[server.FirstSlot + i] = server.Id;
    }

    private void Reserve()
    {
        if (_slots <= _servers.Length) return;
        var slots = (Math.Max(_slots, 2 * _servers.Length) + SlotsPerBlock - 1) / SlotsPerBlock * SlotsPerBlock;
        Array.Resize(ref _servers, slots);
        Array.Resize(ref _open, slots / 64);
        Array.Resize(ref _left, slots / 64);
        foreach (var column in (ReadOnlySpan<VmColumn>)[_freeCpu, _freeMemory, _headroomCpu, _headroomMemory]) column.Reserve(slots);
    }
}
