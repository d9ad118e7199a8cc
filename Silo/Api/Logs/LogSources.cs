using Hosting.Apps;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>What somebody wants to read of an app's logs.</summary>
/// <param name="App">Name of the app.</param>
/// <param name="Container">Only this container; null for all.</param>
/// <param name="Query">Which lines.</param>
/// <param name="Containers">The containers that are there now.</param>
/// <param name="Resume">Where a stream broke off; null for a new one.</param>
internal sealed record LogRequest(string App, string? Container, LogQuery Query, LiveContainers Containers, LogCursor? Resume);

/// <summary>The containers of an app that are not over, as far as they are known.</summary>
/// <param name="Known">Their records.</param>
/// <param name="Missing">Databases that did not answer, for people: others may be in those.</param>
internal sealed record LiveContainers(IReadOnlyList<ContainerRecord> Known, IReadOnlyList<string> Missing);

/// <summary>Finds containers and opens their logs.</summary>
internal sealed class LogSources(IGrainFactory grains, PoolStore pool)
{
    /// <summary>Containers that one request reads.</summary>
    public const int MostContainers = 64;

    /// <summary>A container's log.</summary>
    public ContainerLog Open(ContainerRecord container, LogPosition from) => new(grains, container, from);

    /// <summary>The containers of an app that are not over, or the one of them.</summary>
    public async Task<LiveContainers> Live(string app, string? container, CancellationToken cancel)
    {
        if (container is not null)
            return new(await pool.GetContainer(container, cancel).Bounded(cancel) is { IsOver: false } record && record.App == app ? [record] : [], []);
        var (records, missing) = await pool.FindContainers(new ContainerFilter { App = app, Limit = Limits.DefaultItems }, cancel).Bounded(cancel);
        return new(records, missing);
    }

    /// <summary>A container's record, over or not; null when it is not of the app.</summary>
    public async Task<ContainerRecord?> Find(string app, string container, CancellationToken cancel) =>
        await pool.GetContainer(container, cancel).Bounded(cancel) is { } record && record.App == app ? record : null;

    /// <summary>Whether there is such an app.</summary>
    public async Task<bool> Exists(string app, CancellationToken cancel) =>
        await grains.GetGrain<IAppServiceGrain>(app).GetStatus().Bounded(cancel) is not null;

    /// <summary>Whether nothing can come any more: the one container is over, or the app is gone.</summary>
    public async Task<bool> IsOver(LogRequest request, CancellationToken cancel)
    {
        try
        {
            return request.Container is not null || !await Exists(request.App, cancel);
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            return false;
        }
    }
}
