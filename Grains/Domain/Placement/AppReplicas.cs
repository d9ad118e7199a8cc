namespace Hosting.Domain.Placement;

/// <summary>Replicas of one app on each server.</summary>
internal sealed class AppReplicas(string name)
{
    private readonly Dictionary<int, int> _counts = [];

    public string Name { get; } = name;

    public int Total { get; private set; }

    public int On(ServerEntry server) => _counts.GetValueOrDefault(server.Id);

    public void Add(ServerEntry server)
    {
        Total++;
        _counts[server.Id] = On(server) + 1;
    }

    public void Remove(ServerEntry server)
    {
        Total--;
        _counts[server.Id] = On(server) - 1;
    }
}
