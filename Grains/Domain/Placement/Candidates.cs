using System.Runtime.Intrinsics;

namespace Hosting.Domain.Placement;

/// <summary>
/// A set of servers that is narrowed until one is left. Sets of servers are bitmaps, one bit a server, whose length is a
/// multiple of <see cref="Block"/> words: one step handles 256 servers.
/// </summary>
internal sealed class Candidates
{
    /// <summary>Words handled at once.</summary>
    public const int Block = 4;

    private ulong[] _words = [];
    private int _start;
    private int _end;

    /// <summary>Words that a bitmap needs for so many servers.</summary>
    public static int WordsFor(int servers) => (servers + 64 * Block - 1) / (64 * Block) * Block;

    /// <summary>Whether any server is left.</summary>
    public bool Any()
    {
        while (_start < _end && Load(_words, _start) == Vector256<ulong>.Zero) _start += Block;
        return _start < _end;
    }

    /// <summary>The first block that may hold a server.</summary>
    public int FirstBlock => _start / Block;

    /// <summary>Blocks of <see cref="Block"/> words, 256 servers each.</summary>
    public int Blocks => _end / Block;

    /// <summary>The servers left of a block, from <see cref="FirstBlock"/> on.</summary>
    public Vector256<ulong> this[int block] => Load(_words, block * Block);

    public bool Contains(int server) => server >> 6 >= _start && (_words[server >> 6] & (1UL << server)) != 0;

    /// <summary>Adds a server that an earlier <see cref="Remove"/> took out.</summary>
    public void Restore(int server)
    {
        _words[server >> 6] |= 1UL << server;
        _start = Math.Min(_start, (server >> 6) / Block * Block);
    }

    public void Remove(int server) => _words[server >> 6] &= ~(1UL << server);

    /// <summary>Starts over with the servers of a bitmap.</summary>
    public void Begin(ulong[] set, int words)
    {
        if (_words.Length < words) _words = new ulong[Math.Max(words, 2 * _words.Length)];
        // Array.Copy takes ten times as long for some distances between the two arrays (measured at 3 kB: 1.1 us).
        for (var i = 0; i < words; i += Block) Load(set, i).StoreUnsafe(ref _words[i]);
        _start = 0;
        _end = words;
    }

    /// <summary>Keeps the servers that are in the bitmap, too.</summary>
    public void Keep(ulong[] set)
    {
        for (var i = _start; i < _end; i += Block) (Load(_words, i) & Load(set, i)).StoreUnsafe(ref _words[i]);
    }

    /// <summary>Keeps the servers outside the bitmap, if there are any; else all stay.</summary>
    public void PreferOutside(ulong[] set)
    {
        var first = _start;
        while (first < _end && Vector256.AndNot(Load(_words, first), Load(set, first)) == Vector256<ulong>.Zero) first += Block;
        if (first >= _end) return;
        for (var i = first; i < _end; i += Block) Vector256.AndNot(Load(_words, i), Load(set, i)).StoreUnsafe(ref _words[i]);
        _start = first;
    }

    private static Vector256<ulong> Load(ulong[] words, int at) => Vector256.LoadUnsafe(ref words[at]);
}
