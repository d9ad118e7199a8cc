using Hosting.Grains.Storage;
using Hosting.Regions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Regions;

/// <summary>The regions this silo serves.</summary>
/// <param name="Regions">Their names.</param>
public sealed record ServedRegions(IReadOnlyList<string> Regions);

/// <summary>Keeps the regions of this silo awake: a grain that nobody calls would never notice what it should repair.</summary>
internal sealed class RegionKeeper(
    IGrainFactory grains, ServedRegions served, PoolStore pool, TimeProvider clock, ILogger<RegionKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
            await Task.WhenAll(served.Regions.Select(region => Keep(region)));
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task Keep(string region)
    {
        try
        {
            await grains.GetGrain<IRegionGrain>(region).Keep();
            await pool.Prune(CancellationToken.None);
        }
        catch (Exception failure)
        {
            log.LogWarning("Region {Region} could not be looked after and is tried again in {Seconds} s: {Reason}",
                region, Period.TotalSeconds, failure.Message);
        }
    }
}
