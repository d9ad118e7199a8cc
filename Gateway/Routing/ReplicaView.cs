namespace Hosting.Gateway.Routing;

/// <summary>The replicas of an upstream at one moment. Immutable: a change is a new view that supersedes this one.</summary>
internal sealed class ReplicaView(Replica[] near, Replica[] far, bool gone = false)
{
    private static readonly TaskCompletionSource Completed = CompletedSource();
    private TaskCompletionSource? _superseded;

    /// <summary>Replicas in the gateway's own region; every replica when the gateway has none.</summary>
    public Replica[] Near { get; } = near;

    /// <summary>Replicas in other regions.</summary>
    public Replica[] Far { get; } = far;

    /// <summary>The app does not exist any more.</summary>
    public bool Gone { get; } = gone;

    /// <summary>Whether nothing serves.</summary>
    public bool IsEmpty => Near.Length == 0 && Far.Length == 0;

    /// <summary>Completes when another view is in force.</summary>
    public Task Superseded
    {
        get
        {
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _superseded, fresh, null) ?? fresh).Task;
        }
    }

    /// <summary>Wakes up who waits for it; called once the next view is in force.</summary>
    public void Supersede() => Interlocked.CompareExchange(ref _superseded, Completed, null)?.TrySetResult();

    private static TaskCompletionSource CompletedSource()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
