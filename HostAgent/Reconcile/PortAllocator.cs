namespace Hosting.HostAgent.Reconcile;

/// <summary>
/// Chooses ports of a VM. It goes round the range, so that a port is not used again soon: a gateway with an old route must not
/// reach another app.
/// </summary>
internal sealed class PortAllocator(int first, int last, int start)
{
    private readonly HashSet<int> _used = [];
    private readonly Lock _lock = new();
    private int _next = first + (start % (last - first + 1));

    /// <summary>A free port; 0 when there is none.</summary>
    public int Take()
    {
        lock (_lock)
        {
            for (var tries = 0; tries <= last - first; tries++)
            {
                var port = _next;
                _next = port == last ? first : port + 1;
                if (_used.Add(port))
                    return port;
            }
        }

        return 0;
    }

    /// <summary>A port that a container has already.</summary>
    public void Keep(int port)
    {
        lock (_lock)
            _used.Add(port);
    }

    /// <summary>A port that no container has any more.</summary>
    public void Free(int port)
    {
        lock (_lock)
            _used.Remove(port);
    }
}
