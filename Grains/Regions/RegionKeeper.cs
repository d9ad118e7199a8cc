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
    private static readonly TimeSpan PrunePeriod = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan KeepEndedFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan KeepEventsFor = TimeSpan.FromDays(7);
    private const int KeepEnded = 10_000;

    private DateTimeOffset _pruneAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            await Task.WhenAll(served.Regions.Select(Keep));
            await Prune(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>What is over is kept for a while for people to look at, and not for ever.</summary>
    private async Task Prune(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (now < _pruneAt)
            return;
        _pruneAt = now + PrunePeriod;
        try
        {
            await pool.Prune(now - KeepEndedFor, KeepEnded, now - KeepEventsFor, cancellationToken);
        }
        catch (Exception failure)
        {
            log.LogWarning("Old records could not be deleted and are tried again in {Minutes} min: {Reason}", PrunePeriod.TotalMinutes, failure.Message);
        }
    }

    private async Task Keep(string region)
    {
        try
        {
            await grains.GetGrain<IRegionGrain>(region).Keep();
        }
        catch (Exception failure)
        {
            log.LogWarning("Region {Region} could not be looked after and is tried again in {Seconds} s: {Reason}",
                region, Period.TotalSeconds, failure.Message);
        }
    }
}
