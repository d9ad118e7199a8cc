using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hosting.Domain.Placement;

/// <summary>
/// One number for every VM, held digit by digit in blocks of 256 VMs: which VMs of a block have at least so much is known
/// after a few words a digit, and mostly before the last digit. Kept true by flipping the digits that change.
/// </summary>
internal sealed class VmColumn
{
    private const int Block = Candidates.Block;
    private const int SlotsPerBlock = 64 * Block;

    /// <summary>Binary digits looked at before asking whether any VM is still undecided: asking at each costs more than it saves.</summary>
    private const int DigitsAtOnce = 4;

    /// <summary>Of each block, the most significant digit of all its VMs first.</summary>
    private ulong[] _words = [];
    private int[] _values = [];
    private int _digits;

    /// <summary>Makes room for so many slots, a multiple of 256; new ones hold 0.</summary>
    public void Reserve(int slots)
    {
        Array.Resize(ref _values, slots);
        Array.Resize(ref _words, slots / SlotsPerBlock * _digits * Block);
    }

    /// <summary>Writes the same number for some VMs side by side, which always change together.</summary>
    /// <param name="first">Slot of the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="value">Below 0 is held as 0.</param>
    public void Set(int first, int count, int value)
    {
        value = Math.Max(0, value);
        if (value >> _digits != 0) Widen(32 - BitOperations.LeadingZeroCount((uint)value));
        for (var changed = value ^ _values[first]; changed != 0; changed &= changed - 1)
            Flip(first, count, BitOperations.TrailingZeroCount(changed));
        _values[first] = value;
    }

    /// <summary>Keeps the VMs that have enough.</summary>
    /// <param name="vms">Bitmap of VMs by slot.</param>
    /// <param name="words">Words of it that are in use, a multiple of <see cref="Candidates.Block"/>.</param>
    /// <param name="least">From 1.</param>
    /// <returns>How many are left.</returns>
    public int Keep(ulong[] vms, int words, int least)
    {
        var left = 0;
        for (var word = 0; word < words; word += Block)
        {
            var some = Vector256.LoadUnsafe(ref vms[word]);
            if (some == Vector256<ulong>.Zero) continue;
            var enough = AtLeast(least, word / Block, some);
            enough.StoreUnsafe(ref vms[word]);
            left += BitOperations.PopCount(enough[0]) + BitOperations.PopCount(enough[1])
                + BitOperations.PopCount(enough[2]) + BitOperations.PopCount(enough[3]);
        }
        return left;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<ulong> AtLeast(int least, int block, Vector256<ulong> equal)
    {
        var more = Vector256<ulong>.Zero;
        if (least >> _digits != 0) return more;
        // Where the digits of the least are all 0 from here on, what is equal so far is enough.
        var last = BitOperations.TrailingZeroCount(least);
        ref var digits = ref _words[block * _digits * Block];
        for (var digit = _digits - 1; digit >= last; digit--)
        {
            var ones = Vector256.LoadUnsafe(ref digits, (nuint)((_digits - 1 - digit) * Block));
            if ((least >> digit & 1) == 0) more |= equal & ones;
            equal = (least >> digit & 1) == 0 ? Vector256.AndNot(equal, ones) : equal & ones;
            if (digit % DigitsAtOnce == 0 && equal == Vector256<ulong>.Zero) break;
        }
        return more | equal;
    }

    private void Flip(int first, int count, int digit)
    {
        while (count > 0)
        {
            var inWord = Math.Min(count, 64 - first % 64);
            _words[(first / SlotsPerBlock * _digits + _digits - 1 - digit) * Block + first / 64 % Block] ^= (ulong.MaxValue >> (64 - inWord)) << first;
            (first, count) = (first + inWord, count - inWord);
        }
    }

    private void Widen(int digits)
    {
        var words = new ulong[_values.Length / SlotsPerBlock * digits * Block];
        for (var block = 0; block < _values.Length / SlotsPerBlock; block++)
            Array.Copy(_words, block * _digits * Block, words, (block * digits + digits - _digits) * Block, _digits * Block);
        (_words, _digits) = (words, digits);
    }
}
