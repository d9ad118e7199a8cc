using System.Numerics;
using System.Runtime.Intrinsics;
using Hosting.Placement;

namespace Hosting.Domain.Placement;

/// <summary>
/// Classes of free CPU and memory, drawn along the demands that are asked for: for each of up to 64 demands, the exact
/// set of servers with a VM that matches it. A server carries the classes it is in as 64 bits, so a change of the server
/// touches only the classes it enters or leaves. Servers that are offline, stale, cordoned or over threshold are in none.
/// </summary>
internal sealed class DemandClasses
{
    /// <summary>Most classes: the bits of a mask.</summary>
    public const int Max = 64;

    private static readonly Demand Smallest = new(1, 1);

    private readonly int[] _cpu = new int[Max];
    private readonly int[] _memory = new int[Max];
    private readonly ulong[][] _members = new ulong[Max][];
    private readonly int[] _sizes = new int[Max];
    private readonly long[] _asked = new long[Max];
    private readonly Dictionary<Demand, int> _classes = [];
    private readonly VmRooms _rooms;
    private ulong[] _classesOf = [];
    private long _asks;
    private int _words;

    public DemandClasses(VmRooms rooms)
    {
        _rooms = rooms;
        Array.Fill(_cpu, int.MaxValue);
        Array.Fill(_memory, int.MaxValue);
        Open(0, Smallest);
    }

    /// <summary>Bitmap of the servers with any room at all.</summary>
    public ulong[] Roomy => _members[0];

    public bool Has(Demand demand) => _classes.ContainsKey(demand);

    public bool IsFull => _classes.Count == Max;

    /// <summary>
    /// The servers that match the demand or, when it has no class of its own, the smallest class known to hold all of
    /// them and perhaps others. Null when there are none.
    /// </summary>
    public ulong[]? Covering(Demand demand)
    {
        if (!_classes.TryGetValue(demand, out var found)) found = Narrowest(demand);
        _asked[found] = ++_asks;
        return _sizes[found] == 0 ? null : _members[found];
    }

    /// <summary>Gives a demand a class of its own, in the place of the one not asked for longest if there is no room.</summary>
    public void Add(Demand demand)
    {
        var slot = IsFull ? LeastAsked() : _classes.Count;
        var before = _members[slot] ?? new ulong[_words];
        Open(slot, demand);
        _rooms.Match(demand, _members[slot]);
        for (var word = 0; word < _words; word++)
        {
            var members = _members[slot][word];
            _sizes[slot] += BitOperations.PopCount(members);
            for (var changed = members ^ before[word]; changed != 0; changed &= changed - 1)
                _classesOf[word * 64 + BitOperations.TrailingZeroCount(changed)] ^= 1UL << slot;
        }
    }

    /// <summary>Makes room for so many words in every bitmap.</summary>
    public void Reserve(int words)
    {
        if (words <= _words) return;
        _words = Math.Max(words, 2 * _words);
        for (var slot = 0; slot < _classes.Count; slot++) _members[slot] = Bitmaps.Grown(_members[slot], _words);
        Array.Resize(ref _classesOf, _words * 64);
    }

    /// <summary>Moves a changed server between the classes.</summary>
    public void Update(ServerEntry server)
    {
        var classes = ClassesOf(server);
        for (var changed = classes ^ _classesOf[server.Id]; changed != 0; changed &= changed - 1)
        {
            var slot = BitOperations.TrailingZeroCount(changed);
            var enters = (classes >> slot & 1) != 0;
            _sizes[slot] += enters ? 1 : -1;
            Bitmaps.Write(_members[slot], server.Id, enters);
        }
        _classesOf[server.Id] = classes;
    }

    private ulong ClassesOf(ServerEntry server)
    {
        if (server.ClosedBy is not null) return 0;
        var classes = 0UL;
        foreach (var vm in server.Vms)
            if (vm.Takes) classes |= ClassesWithin(Math.Min(vm.FreeCpu, server.HeadroomCpu), Math.Min(vm.FreeMemory, server.HeadroomMemory));
        return classes;
    }

    private ulong ClassesWithin(int cpu, int memory)
    {
        var (cpus, memories, classes) = (Vector256.Create(cpu), Vector256.Create(memory), 0UL);
        for (var slot = 0; slot < _classes.Count; slot += Vector256<int>.Count)
        {
            var tooBig = Vector256.GreaterThan(Vector256.LoadUnsafe(ref _cpu[slot]), cpus)
                | Vector256.GreaterThan(Vector256.LoadUnsafe(ref _memory[slot]), memories);
            classes |= (ulong)(byte)~tooBig.ExtractMostSignificantBits() << slot;
        }
        return classes;
    }

    private int Narrowest(Demand demand)
    {
        var narrowest = 0;
        for (var slot = 1; slot < _classes.Count; slot++)
            if (_cpu[slot] <= demand.CpuMillis && _memory[slot] <= demand.MemoryMiB && _sizes[slot] < _sizes[narrowest]) narrowest = slot;
        return narrowest;
    }

    private int LeastAsked()
    {
        var least = 1;
        for (var slot = 2; slot < Max; slot++)
            if (_asked[slot] < _asked[least]) least = slot;
        return least;
    }

    private void Open(int slot, Demand demand)
    {
        _classes.Remove(new Demand(_cpu[slot], _memory[slot]));
        _classes.Add(demand, slot);
        (_cpu[slot], _memory[slot]) = (demand.CpuMillis, demand.MemoryMiB);
        _members[slot] = new ulong[_words];
        _sizes[slot] = 0;
        _asked[slot] = ++_asks;
    }
}
