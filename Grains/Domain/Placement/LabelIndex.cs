namespace Hosting.Domain.Placement;

/// <summary>Servers by the labels that requests ask for; labels nobody asks for cost nothing.</summary>
internal sealed class LabelIndex
{
    /// <summary>Most labels held; beyond it the index starts over.</summary>
    private const int Max = 256;

    private readonly Dictionary<(string Label, string Value), ulong[]> _servers = [];

    /// <summary>The servers that carry a label with exactly this value.</summary>
    public ulong[] With(string label, string value, IReadOnlyList<ServerEntry> servers)
    {
        var words = Candidates.WordsFor(servers.Count);
        if (_servers.TryGetValue((label, value), out var found) && found.Length >= words) return found;
        if (_servers.Count >= Max) _servers.Clear();
        var bitmap = new ulong[words];
        foreach (var server in servers) Bitmaps.Write(bitmap, server.Id, Carries(server, label, value));
        return _servers[(label, value)] = bitmap;
    }

    /// <summary>The servers that carry all of these labels.</summary>
    public ulong[] WithAll(IReadOnlyDictionary<string, string> labels, IReadOnlyList<ServerEntry> servers)
    {
        ulong[]? all = null;
        foreach (var (label, value) in labels)
        {
            var with = With(label, value, servers);
            all ??= [.. with];
            for (var word = 0; word < all.Length; word++) all[word] &= with[word];
        }
        return all ?? throw new ArgumentException("no labels", nameof(labels));
    }

    /// <summary>The server's labels may have changed.</summary>
    public void Update(ServerEntry server)
    {
        foreach (var ((label, value), bitmap) in _servers)
            if (server.Id >> 6 < bitmap.Length) Bitmaps.Write(bitmap, server.Id, Carries(server, label, value));
    }

    private static bool Carries(ServerEntry server, string label, string value) =>
        server.Record.Labels.TryGetValue(label, out var has) && has == value;
}
