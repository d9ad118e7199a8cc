using System.Numerics;
using System.Runtime.Intrinsics;

namespace Hosting.Domain.Placement;

/// <summary>
/// The <see cref="PlacementScore"/> of every server, in blocks of 256 servers: bit by bit, so that the best among any of
/// them is found digit by digit, and the best score that a server with any room has, so that most blocks are passed over.
/// </summary>
internal sealed class ScoreIndex
{
    private const int Digits = PlacementScore.Bits;
    private const byte NoServer = byte.MaxValue;

    /// <summary>Of each block, the most significant digit of all its servers first.</summary>
    private ulong[] _digits = [];
    private byte[] _lowest = [];

    public void Reserve(int words)
    {
        var (had, blocks) = (_lowest.Length, words / Candidates.Block);
        if (blocks <= had) return;
        Array.Resize(ref _lowest, Math.Max(blocks, 2 * had));
        Array.Resize(ref _digits, _lowest.Length * Digits * Candidates.Block);
        _lowest.AsSpan(had).Fill(NoServer);
    }

    /// <summary>Writes a server's score.</summary>
    /// <param name="server">The server.</param>
    /// <param name="score">0 to 63.</param>
    /// <param name="roomy">Bitmap of the servers with any room, this one included or not: no other can be a candidate.</param>
    public void Update(ServerEntry server, int score, ulong[] roomy)
    {
        var (block, word) = (server.Id >> 8, (server.Id >> 6) % Candidates.Block);
        for (var changed = score ^ server.Score; changed != 0; changed &= changed - 1)
            _digits[At(block, Digits - 1 - BitOperations.TrailingZeroCount(changed)) + word] ^= 1UL << server.Id;
        server.Score = score;
        var all = Vector256.LoadUnsafe(ref roomy[block * Candidates.Block]);
        _lowest[block] = all == Vector256<ulong>.Zero ? NoServer : (byte)Lowest(block, ref all);
    }

    /// <summary>The candidate with the lowest score, of several the one with the lowest id; there must be one.</summary>
    public int Best(Candidates candidates)
    {
        var (best, at, found) = ((int)NoServer, 0, Vector256<ulong>.Zero);
        for (var block = candidates.FirstBlock; block < candidates.Blocks; block++)
        {
            if (_lowest[block] >= best) continue;
            var servers = candidates[block];
            if (servers == Vector256<ulong>.Zero) continue;
            if (Lowest(block, ref servers) is var score && score < best) (best, at, found) = (score, block, servers);
        }
        return at * 64 * Candidates.Block + First(found);
    }

    /// <summary>The lowest score among servers of a block; leaves those that have it.</summary>
    private int Lowest(int block, ref Vector256<ulong> servers)
    {
        var score = 0;
        for (var digit = 0; digit < Digits; digit++)
        {
            var zero = Vector256.AndNot(servers, Vector256.LoadUnsafe(ref _digits[At(block, digit)]));
            var none = zero == Vector256<ulong>.Zero;
            score = score << 1 | (none ? 1 : 0);
            servers = none ? servers : zero;
        }
        return score;
    }

    private static int First(Vector256<ulong> servers)
    {
        var word = 0;
        while (servers[word] == 0) word++;
        return word * 64 + BitOperations.TrailingZeroCount(servers[word]);
    }

    private static int At(int block, int digit) => (block * Digits + digit) * Candidates.Block;
}
