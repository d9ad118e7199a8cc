using Hosting.Placement;

namespace Hosting.Grains.Storage;

/// <summary>In the order in which a batch runs them.</summary>
internal enum WriteKind
{
    Insert,
    Update,
    End,
}

/// <summary>One caller's write, on its way to the database.</summary>
internal sealed class WriteCall
{
    private readonly TaskCompletionSource<bool> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required WriteKind Kind { get; init; }

    /// <summary>Timestamp of the clock after which it is not tried again.</summary>
    public required long Deadline { get; init; }

    public required CancellationToken Cancellation { get; init; }

    /// <summary>Of inserts and ends: the region and the epoch its writer holds.</summary>
    public string Region { get; init; } = "";

    public long Epoch { get; init; }

    public IReadOnlyList<ContainerRecord> Records { get; init; } = [];

    public IReadOnlyList<ContainerRelease> Releases { get; init; } = [];

    public DateTimeOffset At { get; init; }

    public int Rows => Kind == WriteKind.End ? Releases.Count : Records.Count;

    public Task<bool> Done => completion.Task;

    public string IdOf(int row) => Kind == WriteKind.End ? Releases[row].Id : Records[row].Id;

    public string RegionOf(int row) => Kind == WriteKind.Update ? Records[row].Region : Region;

    public void Complete(bool accepted) => completion.TrySetResult(accepted);

    public void Fail(Exception exception) => completion.TrySetException(exception);

    public void Cancel() => completion.TrySetCanceled(Cancellation);
}
