using System.Text;
using CsCheck;
using Hosting.HostAgent.Logs;

namespace Hosting.HostAgent.Tests.Logs;

public sealed class LogParserTests
{
    private const string Time = "2026-01-02T12:00:00.123456789Z";
    private const long At = 1_767_355_200_123_456_789;

    [Theory]
    [InlineData("2026-01-02T12:00:00.123456789Z", At)]
    [InlineData("2026-01-02T14:00:00.123456789+02:00", At)]
    [InlineData("2026-01-02T11:30:00.123456789-00:30", At)]
    [InlineData("2026-01-02T12:00:00.5Z", 1_767_355_200_500_000_000)]
    [InlineData("2026-01-02T12:00:00Z", 1_767_355_200_000_000_000)]
    public void Times_are_read_to_the_nanosecond(string time, long at)
    {
        var line = Assert.Single(Parse($"{time} hello\r\n"));
        Assert.Equal(new ParsedLine(new Place(at, 1), false, "hello"), line);
    }

    [Fact]
    public void Lines_are_the_same_however_the_bytes_come() =>
        Gen.Select(Gen.String[0, 40].Array[1, 20], Gen.Int[1, 50]).Sample((texts, size) =>
        {
            texts = [.. texts.Select(text => text.ReplaceLineEndings("").Replace('\n', ' '))];
            var bytes = Encoding.UTF8.GetBytes(string.Concat(texts.Select(text => $"{Time} {text}\n")));
            var whole = Parse(bytes, bytes.Length);
            Assert.Equal(texts.Length, whole.Count);
            Assert.Equal(whole, Parse(bytes, size));
        });

    [Fact]
    public void The_two_streams_do_not_mix_and_what_has_no_end_comes_last()
    {
        var (parser, lines) = (new LogParser(), new List<ParsedLine>());
        parser.Take(false, Bytes($"{Time} out"), lines);
        parser.Take(true, Bytes($"{Time} err\n"), lines);
        parser.Take(false, Bytes("put\n" + Time + " rest"), lines);
        parser.Finish(lines);
        Assert.Equal([(true, "err"), (false, "output"), (false, "rest")], lines.Select(line => (line.Error, line.Text)));
        Assert.Equal([1, 2, 3], lines.Select(line => line.Place.Count));
    }

    [Fact]
    public void A_line_of_any_length_costs_no_more_than_what_is_kept()
    {
        var (parser, lines) = (new LogParser(), new List<ParsedLine>());
        parser.Take(false, Bytes($"{Time} "), lines);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            parser.Take(false, "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöü"u8, lines);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
        parser.Take(false, "\n"u8, lines);
        var line = Assert.Single(lines);
        Assert.EndsWith("ä… [cut]", line.Text.Replace('ö', 'ä').Replace('ü', 'ä'));
        Assert.InRange(Encoding.UTF8.GetByteCount(line.Text), LogLimits.LineBytes - 100, LogLimits.LineBytes + 100);
    }

    [Fact]
    public void Places_only_rise_and_are_the_same_when_reading_begins_later() =>
        Gen.Select(Gen.Long[0, 20].Array[1, 40], Gen.Int[0, 40]).Sample((jitter, start) =>
        {
            // Stamps of two streams: on the whole rising, each up to 20 ns out of order; reading begins 20 ns early.
            var stamps = jitter.Select((early, i) => 1_000 + (i * 5L) - early).ToArray();
            var whole = Number(stamps);
            Assert.Equal(whole.Order(), whole);
            Assert.Equal(whole.Distinct(), whole);
            var from = start < whole.Count ? whole[start] : default;
            var window = Number([.. stamps.Where(stamp => stamp >= from.At - 100)]);
            Assert.Equal(whole.Where(place => place > from), window.Where(place => place > from));
        });

    [Theory]
    [InlineData(new[] { "one", "", "  two\u001b[31m " }, "one | two [31m")]
    [InlineData(new[] { "", " " }, null)]
    public void The_last_lines_are_one_printable_line(string[] lines, string? expected) => Assert.Equal(expected, LastLines.Join(lines));

    [Fact]
    public void Of_long_last_lines_the_end_is_shown() => Assert.Equal("…" + new string('x', 299), LastLines.Join([new('y', 400), new('x', 400)]));

    private static List<Place> Number(long[] stamps)
    {
        var (place, places) = (default(Place), new List<Place>());
        foreach (var stamp in stamps)
            places.Add(place = place.Next(stamp));
        return places;
    }

    private static List<ParsedLine> Parse(string text) => Parse(Bytes(text), int.MaxValue);

    private static List<ParsedLine> Parse(byte[] bytes, int size)
    {
        var (parser, lines) = (new LogParser(), new List<ParsedLine>());
        foreach (var piece in bytes.Chunk(size))
            parser.Take(false, piece, lines);
        parser.Finish(lines);
        return lines;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
