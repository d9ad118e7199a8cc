using System.Diagnostics;
using Hosting.Servers;

namespace Hosting.Benchmarks.Placement;

/// <summary>
/// Measurements of every server of a region, evenly over time, grouped into calls as a silo's hub groups what its agents
/// send. Every one differs from the one before it.
/// </summary>
internal sealed class Reports : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private const int MostInACall = 1_000;
    // The matching takes a server that is silent for longer for lost.
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new(1);
    private readonly BenchRegion _region;
    private readonly (double Least, double Most) _utilization;
    private readonly List<VmReport> _vms = [.. Enumerable.Range(1, BenchRegion.VmsPerServer).Select(vm => new VmReport($"vm-{vm}", true, 1, null))];
    private readonly Task _running;
    private TimeSpan _latest;
    private long _sent;

    private Reports(BenchRegion region, double least, double most)
    {
        (_region, _utilization) = (region, (least, most));
        _running = Run();
    }

    /// <summary>Starts, and answers once every server has been heard from.</summary>
    public static async Task<Reports> Start(BenchRegion region, double least = 0.05, double most = 0.30)
    {
        var reports = new Reports(region, least, most);
        while (Volatile.Read(ref reports._sent) < region.Servers && !reports._running.IsCompleted)
            await Task.Delay(Tick);
        return reports;
    }

    /// <summary>Stops, and says so when a server was silent for too long meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        if (_latest + _region.ReportEvery > StaleAfter)
            throw new PreconditionException($"the reports of {_region.Servers} servers came up to {_latest.TotalSeconds:0.0} s late: this machine is too slow or too busy.");
    }

    private async Task Run()
    {
        using var timer = new PeriodicTimer(Tick);
        var begun = Stopwatch.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
                await SendDue(Stopwatch.GetElapsedTime(begun));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task SendDue(TimeSpan elapsed)
    {
        var due = (long)(elapsed / _region.ReportEvery * _region.Servers);
        var late = _region.ReportEvery * (due - _sent) / _region.Servers;
        _latest = late > _latest ? late : _latest;
        while (_sent < due)
        {
            var count = (int)Math.Min(due - _sent, MostInACall);
            var unknown = await _region.Placement.Report([.. Enumerable.Range(0, count).Select(i => Report((_sent + i) % _region.Servers))]);
            if (unknown.Count > 0)
                throw new PreconditionException($"the matching of {_region.Name} forgot its servers: it was activated again.");
            Volatile.Write(ref _sent, _sent + count);
        }
    }

    private ServerReport Report(long server)
    {
        var cpu = _utilization.Least + _random.NextDouble() * (_utilization.Most - _utilization.Least);
        return new ServerReport($"srv-{server}", new UtilizationReport
        {
            SampledAt = TimeProvider.System.GetUtcNow(),
            Utilization = new Hosting.Placement.Utilization(cpu, _utilization.Least, cpu),
            Vms = _vms,
        });
    }
}
