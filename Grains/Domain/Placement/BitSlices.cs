using System.Numerics;

namespace Hosting.Domain.Placement;

/// <summary>
/// A small number for every server, held bit by bit: one bitmap of servers for each binary digit. The servers with the
/// lowest number among any set of candidates are found in one pass a digit, however the numbers are spread.
/// </summary>
internal sealed class BitSlices
{
    private readonly List<ulong[]> _digits = [];
    private int _words;

    public int Get(int server)
    {
        var value = 0;
        for (var digit = 0; digit < _digits.Count && server >> 6 < _words; digit++)
            value |= (int)((_digits[digit][server >> 6] >> server) & 1) << digit;
        return value;
    }

    public void Set(int server, int value)
    {
        var difference = Get(server) ^ value;
        if (difference == 0) return;
        Reserve(Candidates.WordsFor(server + 1));
        while (_digits.Count < 32 - BitOperations.LeadingZeroCount((uint)difference)) _digits.Add(new ulong[_words]);
        for (; difference != 0; difference &= difference - 1)
            _digits[BitOperations.TrailingZeroCount(difference)][server >> 6] ^= 1UL << server;
    }

    /// <summary>Leaves the candidates with the lowest number.</summary>
    /// <param name="candidates">Any servers.</param>
    /// <param name="words">Words of a bitmap of all servers.</param>
    public void KeepLowest(Candidates candidates, int words)
    {
        Reserve(words);
        for (var digit = _digits.Count - 1; digit >= 0; digit--) candidates.PreferOutside(_digits[digit]);
    }

    private void Reserve(int words)
    {
        if (words <= _words) return;
        _words = Math.Max(words, 2 * _words);
        for (var digit = 0; digit < _digits.Count; digit++) _digits[digit] = Bitmaps.Grown(_digits[digit], _words);
    }
}
