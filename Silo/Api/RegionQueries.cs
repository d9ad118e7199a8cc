using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Api;

/// <summary>A region's answer, or why it gave none.</summary>
internal readonly record struct RegionAnswer<T>(string Region, T? Value, Exception? Failure)
    where T : class;

/// <summary>Asks regions side by side; one that does not answer does not spoil the answers of the others.</summary>
internal sealed class RegionQueries(IGrainFactory grains, ILogger<RegionQueries> log)
{
    /// <summary>A header of answers that lack a region, with a sentence for people.</summary>
    public const string IncompleteHeader = "Hosting-Incomplete";

    /// <summary>Names of every region, sorted.</summary>
    public Task<IReadOnlyList<string>> Names(CancellationToken cancel) =>
        Deadlines.Repeated(grains.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetRegions, cancel);

    /// <summary>The servers of one region.</summary>
    public Task<IReadOnlyList<ServerStatus>> Servers(string region, CancellationToken cancel) =>
        Deadlines.Repeated(grains.GetGrain<IPlacementGrain>(region).GetServers, cancel);

    /// <summary>Asks each region; answers come in the same order, with or without a value.</summary>
    public Task<RegionAnswer<T>[]> Ask<T>(IEnumerable<string> regions, Func<string, Task<T>> question)
        where T : class =>
        Task.WhenAll(regions.Select(region => AskOne(region, question)));

    /// <summary>The values of the regions that answered; the others are named in a header.</summary>
    /// <exception cref="OrleansException">None answered (or what else the first one failed with).</exception>
    public static IEnumerable<T> Complete<T>(HttpResponse response, RegionAnswer<T>[] answers)
        where T : class
    {
        var failed = answers.Where(a => a.Failure is not null).ToArray();
        if (failed.Length == 0) return answers.Select(a => a.Value!);
        if (failed.Length == answers.Length) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failed[0].Failure!);
        NoteMissing(response, [.. failed.Select(f => f.Region)]);
        return answers.Where(a => a.Failure is null).Select(a => a.Value!);
    }

    /// <summary>Says in a header whose part an answer lacks.</summary>
    public static void NoteMissing(HttpResponse response, IReadOnlyList<string> silent)
    {
        if (silent.Count > 0)
            response.Headers[IncompleteHeader] = $"no answer from {string.Join(", ", silent)}; what is there is missing here";
    }

    private async Task<RegionAnswer<T>> AskOne<T>(string region, Func<string, Task<T>> question)
        where T : class
    {
        try
        {
            return new(region, await question(region), null);
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            log.LogWarning("Region {Region} did not answer: {Reason}. Look at its silos.", region, e.Message);
            return new(region, null, e);
        }
    }
}
