using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Api.Logs;

/// <summary>One container's log, read on from where the last answer ended: an answer that got lost is asked for again.</summary>
internal sealed class ContainerLog(IGrainFactory grains, ContainerRecord container, LogPosition from)
{
    private readonly string _reader = Guid.NewGuid().ToString("N");
    private readonly IServerGrain _server = grains.GetGrain<IServerGrain>(GrainKeys.Server(container.Region, container.Server));

    /// <summary>Id of the container.</summary>
    public string Id => container.Id;

    /// <summary>Behind the last line that was read.</summary>
    public LogPosition Next { get; private set; } = from;

    /// <summary>Whether its process ever ran, so that there should be a log.</summary>
    public bool HasRun => container.StartedAt is not null;

    /// <summary>Whether its server answered at all.</summary>
    public bool Answered { get; private set; }

    /// <summary>Leaves out what lies before a place.</summary>
    public void SkipTo(LogPosition position) => Next = position;

    /// <summary>What comes next.</summary>
    /// <param name="tail">For the first read: only the newest so many; null for all.</param>
    /// <param name="follow">Wait a moment for lines to come.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<LogChunk> Read(int? tail, bool follow, CancellationToken cancel)
    {
        var read = new LogRead { Reader = _reader, Vm = container.Vm, Container = container.Id, From = Next, Tail = tail, Follow = follow };
        try
        {
            var chunk = await _server.ReadLogs(read).Bounded(cancel);
            Next = chunk.Next;
            Answered |= chunk.State is not (LogState.Away or LogState.Refused);
            return chunk;
        }
        catch (Exception e) when (Failures.IsPassing(e))
        {
            return new LogChunk { State = LogState.Away, Next = Next, Reason = $"region {container.Region} does not answer" };
        }
    }

    /// <summary>It is not read any more. A hint to its agent.</summary>
    public void Close() => _server.CloseLogs(_reader).Ignore();
}
