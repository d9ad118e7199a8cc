using System.Collections.Frozen;
using System.Threading.Channels;
using Hosting.Grains.Regions;
using Hosting.Placement;
using Hosting.Servers;
using Microsoft.Extensions.Hosting;

namespace Hosting.Grains.Placement;

/// <summary>
/// Takes the measurements of this silo's servers to their regions' matching. One call is under way to a region, and what
/// arrives meanwhile goes together in the next: 10,000 servers are 20,000 measurements a second, and a call for each would
/// keep the matching from its work.
/// </summary>
internal sealed class ReportForwarder(IGrainFactory grains, ServedRegions served) : BackgroundService
{
    private const int QueueLength = 65_536;
    private const int MostInACall = 1_000;

    private readonly FrozenDictionary<string, Channel<Waiting>> _queues =
        served.Regions.Distinct(StringComparer.Ordinal).ToFrozenDictionary(region => region, _ => NewQueue(), StringComparer.Ordinal);

    /// <summary>Forwards a measurement. A lost one costs nothing, so it is dropped when the queue is full.</summary>
    /// <returns>False when the server has to join the matching first.</returns>
    public Task<bool> Forward(string region, ServerReport report)
    {
        var waiting = new Waiting(report);
        return _queues[region].Writer.TryWrite(waiting) ? waiting.Known.Task : Task.FromResult(true);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_queues.Select(queue => Run(queue.Key, queue.Value, stoppingToken)));

    private async Task Run(string region, Channel<Waiting> queue, CancellationToken stop)
    {
        var placement = grains.GetGrain<IPlacementGrain>(region);
        try
        {
            while (await queue.Reader.WaitToReadAsync(stop))
                await Send(placement, Gather(queue.Reader));
        }
        finally
        {
            queue.Writer.TryComplete();
            foreach (var waiting in Gather(queue.Reader, QueueLength))
                waiting.Known.TrySetCanceled(CancellationToken.None);
        }
    }

    private static List<Waiting> Gather(ChannelReader<Waiting> queue, int most = MostInACall)
    {
        var batch = new List<Waiting>();
        while (batch.Count < most && queue.TryRead(out var waiting))
            batch.Add(waiting);
        return batch;
    }

    /// <summary>Never throws: a failure is its callers', who end their agents' streams with it.</summary>
    private static async Task Send(IPlacementGrain placement, List<Waiting> batch)
    {
        try
        {
            var unknown = await placement.Report(batch.ConvertAll(waiting => waiting.Report));
            foreach (var waiting in batch)
                waiting.Known.TrySetResult(!unknown.Contains(waiting.Report.Server));
        }
        catch (Exception failure)
        {
            foreach (var waiting in batch)
                waiting.Known.TrySetException(failure);
        }
    }

    private static Channel<Waiting> NewQueue() =>
        Channel.CreateBounded<Waiting>(new BoundedChannelOptions(QueueLength) { SingleReader = true });

    /// <summary>A measurement whose grain waits for the answer.</summary>
    private sealed record Waiting(ServerReport Report)
    {
        public TaskCompletionSource<bool> Known { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
