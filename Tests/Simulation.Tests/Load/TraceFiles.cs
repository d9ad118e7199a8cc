using System.Globalization;
using System.IO.Compression;

namespace Hosting.Simulation.Tests.Load;

/// <summary>Reads traces of the Bitbrains GWA-T-12 kind: gzipped, fields separated by semicolons and tabs, a header line.</summary>
internal static class TraceFiles
{
    private const int CpuPercent = 4;
    private const int MemoryProvisioned = 5;
    private const int MemoryUsed = 6;

    /// <summary>Every trace of a folder, in the order of their names; none when there is no such folder.</summary>
    public static IReadOnlyList<PrimaryTrace> ReadAll(string folder) => Directory.Exists(folder)
        ? [.. Directory.EnumerateFiles(folder, "*.csv.gz").Order(StringComparer.Ordinal).Select(Read)]
        : [];

    private static PrimaryTrace Read(string file)
    {
        var (cpu, memory) = (new List<float>(), new List<float>());
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        for (reader.ReadLine(); reader.ReadLine() is { } line;)
        {
            var fields = line.Split(';');
            cpu.Add((float)Math.Clamp(Number(fields[CpuPercent]) / 100, 0, 1));
            memory.Add((float)Math.Clamp(Number(fields[MemoryUsed]) / Math.Max(1, Number(fields[MemoryProvisioned])), 0, 1));
        }
        return new PrimaryTrace([.. cpu], [.. memory]);
    }

    private static double Number(string field) => double.Parse(field.AsSpan().Trim(), CultureInfo.InvariantCulture);
}
