using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>The latest status of every container, and which of them the control plane has not heard yet. Never longer than there are containers.</summary>
internal sealed class StatusBoard : IDisposable
{
    private readonly Dictionary<(string Vm, string Id), Container> _all = [];
    private readonly HashSet<(string Vm, string Id)> _unsent = [];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _news = new(0, 1);

    /// <summary>Sets a container's status; the one it has already is no news.</summary>
    public void Publish(Container status)
    {
        lock (_lock)
        {
            var key = (status.Vm, status.Id);
            if (_all.TryGetValue(key, out var known) && known.Equals(status))
                return;
            _all[key] = status;
            _unsent.Add(key);
        }

        Wake();
    }

    /// <summary>Drops a container that is gone.</summary>
    public void Forget(string vm, string id)
    {
        lock (_lock)
        {
            _all.Remove((vm, id));
            _unsent.Remove((vm, id));
        }
    }

    /// <summary>Drops all containers of a VM that is gone.</summary>
    public void Forget(string vm)
    {
        lock (_lock)
        {
            foreach (var key in _all.Keys.Where(key => key.Vm == vm).ToList())
            {
                _all.Remove(key);
                _unsent.Remove(key);
            }
        }
    }

    /// <summary>Everything, as a new stream's first message has it; nothing of it is unsent then.</summary>
    public IReadOnlyList<Container> TakeAll()
    {
        lock (_lock)
        {
            _unsent.Clear();
            return [.. _all.Values];
        }
    }

    /// <summary>What is new; empty when nothing is.</summary>
    public IReadOnlyList<Container> TakeChanges()
    {
        lock (_lock)
        {
            var changes = _unsent.Select(key => _all[key]).ToList();
            _unsent.Clear();
            return changes;
        }
    }

    /// <summary>There is news that is not a container's.</summary>
    public void Wake()
    {
        lock (_news)
        {
            if (_news.CurrentCount == 0)
                _news.Release();
        }
    }

    /// <summary>Waits for news; false when there was none in time.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellation) => _news.WaitAsync(timeout, cancellation);

    public void Dispose() => _news.Dispose();
}
