namespace Hosting.Domain.Placement;

/// <summary>
/// Servers that are heard from, longest silent first. A report moves its server to the end, so finding those that fell
/// silent costs only as much as there are of them.
/// </summary>
internal sealed class FreshnessQueue
{
    private ServerEntry? _oldest;
    private ServerEntry? _newest;

    /// <summary>The server silent for longest; null when there is none.</summary>
    public ServerEntry? Oldest => _oldest;

    public void Heard(ServerEntry server)
    {
        if (_newest == server) return;
        Remove(server);
        server.Older = _newest;
        if (_newest is null) _oldest = server;
        else _newest.Newer = server;
        _newest = server;
    }

    public void Remove(ServerEntry server)
    {
        if (_oldest != server && server.Older is null) return;
        if (server.Older is null) _oldest = server.Newer;
        else server.Older.Newer = server.Newer;
        if (server.Newer is null) _newest = server.Older;
        else server.Newer.Older = server.Older;
        server.Older = server.Newer = null;
    }
}
