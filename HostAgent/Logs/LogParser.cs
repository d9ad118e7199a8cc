using System.Globalization;
using System.Text;

namespace Hosting.HostAgent.Logs;

/// <summary>A line of a container's log.</summary>
/// <param name="Place">Behind this line.</param>
/// <param name="Error">Whether it came from the standard error.</param>
/// <param name="Text">Without its line end.</param>
internal readonly record struct ParsedLine(Place Place, bool Error, string Text);

/// <summary>
/// Makes lines of what an engine sends: two streams of bytes in pieces of any size, each line with its time before it. Holds
/// at most one line of each.
/// </summary>
internal sealed class LogParser
{
    private const byte LineEnd = (byte)'\n';
    private const string CutMark = "… [cut]";
    private static readonly long[] PowersOfTen = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    private readonly Unfinished _output = new();
    private readonly Unfinished _error = new();
    private Place _last;

    /// <summary>Takes a piece of one stream, and tells each line that it completes.</summary>
    public void Take(bool error, ReadOnlySpan<byte> piece, ICollection<ParsedLine> lines)
    {
        var unfinished = error ? _error : _output;
        while (piece.IndexOf(LineEnd) is var end and >= 0)
        {
            unfinished.Add(piece[..end]);
            lines.Add(Complete(unfinished, error));
            piece = piece[(end + 1)..];
        }

        unfinished.Add(piece);
    }

    /// <summary>What stands last without a line end; a process may have ended in the middle of a line.</summary>
    public void Finish(ICollection<ParsedLine> lines)
    {
        foreach (var (unfinished, error) in new[] { (_output, false), (_error, true) })
        {
            if (unfinished.Length > 0)
                lines.Add(Complete(unfinished, error));
        }
    }

    private ParsedLine Complete(Unfinished unfinished, bool error)
    {
        var (at, text) = Split(unfinished.Take());
        _last = _last.Next(at);
        return new ParsedLine(_last, error, text.TrimEnd('\r'));
    }

    /// <summary>The time before the first space; a line without one is of no time, so it gets that of the line before.</summary>
    private static (long At, string Text) Split(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && Nanoseconds(line.AsSpan(0, space)) is { } at ? (at, line[(space + 1)..]) : (0, line);
    }

    /// <summary>A time of RFC 3339 with up to nine digits behind the point, of which the runtime's own parser keeps seven.</summary>
    private static long? Nanoseconds(ReadOnlySpan<char> text)
    {
        const int Seconds = 19;
        if (text.Length <= Seconds || !DateTime.TryParseExact(text[..Seconds], "s", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return null;
        var rest = text[Seconds..];
        var digits = rest[0] == '.' ? Math.Max(0, rest[1..].IndexOfAnyExceptInRange('0', '9')) : 0;
        var fraction = digits is > 0 and <= 9 ? long.Parse(rest[1..(digits + 1)], CultureInfo.InvariantCulture) * PowersOfTen[9 - digits] : 0;
        var seconds = (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond;
        return ((seconds - OffsetSeconds(rest)) * 1_000_000_000) + fraction;
    }

    private static long OffsetSeconds(ReadOnlySpan<char> rest)
    {
        var sign = rest.LastIndexOfAny('+', '-');
        return sign >= 0 && TimeSpan.TryParseExact(rest[(sign + 1)..], @"hh\:mm", CultureInfo.InvariantCulture, out var offset)
            ? (rest[sign] == '-' ? -1 : 1) * (long)offset.TotalSeconds : 0;
    }

    /// <summary>The bytes of a line whose end has not come, up to what is kept of a line.</summary>
    private sealed class Unfinished
    {
        private const int TimeBytes = 64;
        private const int Most = LogLimits.LineBytes + TimeBytes;
        private byte[] _bytes = new byte[256];
        private bool _cut;

        public int Length { get; private set; }

        public void Add(ReadOnlySpan<byte> piece)
        {
            var kept = piece[..Math.Min(piece.Length, Most - Length)];
            _cut |= kept.Length < piece.Length;
            if (_bytes.Length < Length + kept.Length)
                Array.Resize(ref _bytes, Math.Min(Most, Math.Max(Length + kept.Length, _bytes.Length * 2)));
            kept.CopyTo(_bytes.AsSpan(Length));
            Length += kept.Length;
        }

        public string Take()
        {
            var whole = _cut ? StartOfLastCharacter() : Length;
            var text = Encoding.UTF8.GetString(_bytes, 0, whole) + (_cut ? CutMark : "");
            (Length, _cut) = (0, false);
            return text;
        }

        /// <summary>A line that was cut may have been cut inside of a character.</summary>
        private int StartOfLastCharacter()
        {
            var start = Length - 1;
            while (start > 0 && (_bytes[start] & 0xC0) == 0x80)
                start--;
            return start;
        }
    }
}
