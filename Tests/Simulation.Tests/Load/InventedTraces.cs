namespace Hosting.Simulation.Tests.Load;

/// <summary>
/// Traces of the shape that business servers have, for checkouts without the real ones: a level of its own, days and weeks,
/// noise with a memory, and bursts. Always the same six.
/// </summary>
internal static class InventedTraces
{
    private const int Rows = 8_630;
    private const int RowsPerDay = 288;

    // Level, swing of a day, noise, bursts a day and their height; memory's level and swing.
    private static readonly (double Level, double Day, double Noise, double Bursts, double Height, double Memory, double Wander)[] Shapes =
    [
        (0.30, 0.02, 0.01, 0.0, 0.0, 0.02, 0.01),
        (0.22, 0.06, 0.04, 3.0, 0.35, 0.17, 0.30),
        (0.38, 0.08, 0.03, 1.0, 0.20, 0.53, 0.25),
        (0.65, 0.20, 0.08, 4.0, 0.25, 0.17, 0.20),
        (0.30, 0.10, 0.05, 2.0, 0.50, 0.15, 0.30),
        (0.43, 0.12, 0.04, 1.0, 0.20, 0.28, 0.25),
    ];

    public static IReadOnlyList<PrimaryTrace> All() => [.. Shapes.Select((shape, i) => Make(shape, new Random(40_000 + i)))];

    private static PrimaryTrace Make(
        (double Level, double Day, double Noise, double Bursts, double Height, double Memory, double Wander) shape, Random random)
    {
        var (cpu, memory) = (new float[Rows], new float[Rows]);
        var (noise, wander, burst) = (0.0, 0.0, 0);
        for (var row = 0; row < Rows; row++)
        {
            noise = 0.8 * noise + shape.Noise * (2 * random.NextDouble() - 1);
            wander = 0.995 * wander + 0.05 * shape.Wander * (2 * random.NextDouble() - 1);
            if (random.NextDouble() < shape.Bursts / RowsPerDay) burst = random.Next(1, 24);
            var atWork = row / RowsPerDay % 7 < 5 ? 1 : 0.4;
            var day = shape.Day * atWork * Math.Sin(2 * Math.PI * row / RowsPerDay);
            cpu[row] = (float)Math.Clamp(shape.Level + day + noise + (burst-- > 0 ? shape.Height : 0), 0.01, 1);
            memory[row] = (float)Math.Clamp(shape.Memory + wander, 0.01, 0.85);
        }
        return new PrimaryTrace(cpu, memory);
    }
}
