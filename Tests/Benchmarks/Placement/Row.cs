using System.Globalization;

namespace Hosting.Benchmarks.Placement;

/// <summary>A row of the table to reach.</summary>
/// <param name="Servers">Servers, with four VMs each.</param>
/// <param name="Callers">Callers at once.</param>
/// <param name="Batch">Replicas a call asks for.</param>
/// <param name="Rate">Placements a second to reach.</param>
/// <param name="P99">To reach, in milliseconds.</param>
internal sealed record Row(int Servers, int Callers, int Batch, int Rate, int P99)
{
    // A slower machine is told from a slower platform by what the same rows cost without the platform.
    private const double OfFloor = 0.6;

    public string What => string.Create(CultureInfo.InvariantCulture,
        $"{Servers * BenchRegion.VmsPerServer:N0} VMs, {Callers:N0} callers{(Batch > 1 ? $", batches of {Batch}" : "")}");

    /// <summary>Whether it measures releases, too.</summary>
    public bool Releases => Servers == 25_000 && Callers == 256;

    public IEnumerable<Figure> Figures(Measured placing, Measured bare) =>
    [
        new($"{What}: durable placements", placing.Rate, "/s", bare.Rate, string.Create(CultureInfo.InvariantCulture, $"{Rate:N0} /s"), placing.Rate >= Rate),
        new("  of bare group commit", placing.Rate / bare.Rate, "times", null, $"or at least {OfFloor} of it", placing.Rate / bare.Rate >= OfFloor),
        Latency("  p50", placing.P50, null),
        Latency("  p99", placing.P99, P99) with { Floor = bare.P99.TotalMilliseconds },
        Cost("  CPU a placement: client", placing.Times.Client, placing),
        Cost("  CPU a placement: silo", placing.Times.Silo, placing),
        Cost("  CPU a placement: PostgreSQL", placing.Times.Postgres, placing),
        new("  of the processors, used by others meanwhile", 100 * placing.Times.Others / placing.Times.Available, "%"),
    ];

    public IEnumerable<Figure> Released(Measured releasing, Measured placing) =>
    [
        new($"{What}: durable releases", releasing.Rate, "/s", null, "as fast as placing", releasing.Rate >= placing.Rate),
        Latency("  p50", releasing.P50, null),
        Latency("  p99", releasing.P99, P99),
        Cost("  CPU a release: client", releasing.Times.Client, releasing),
        Cost("  CPU a release: silo", releasing.Times.Silo, releasing),
        Cost("  CPU a release: PostgreSQL", releasing.Times.Postgres, releasing),
    ];

    public static Figure Latency(string what, TimeSpan time, int? limit) =>
        new(what, time.TotalMilliseconds, "ms", null, limit is null ? null : $"at most {limit} ms", limit is { } most ? time.TotalMilliseconds <= most : null);

    private static Figure Cost(string what, TimeSpan used, Measured measured) => new(what, used.TotalMicroseconds / measured.Rows, "us");
}
