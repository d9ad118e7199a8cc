namespace Hosting.HostAgent.Vms;

/// <summary>Whom a VM asks for names.</summary>
internal static class Resolver
{
    /// <summary>The host's name servers, but none that only the host itself can reach.</summary>
    public static string OfHost()
    {
        string[] files = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];
        var lines = files.Where(File.Exists).Select(File.ReadAllLines).FirstOrDefault() ?? [];
        var kept = lines.Where(line => !line.StartsWith('#') && !line.Contains("127.0.0.", StringComparison.Ordinal) && !line.StartsWith("options", StringComparison.Ordinal));
        return string.Join('\n', kept.Append("options timeout:2 attempts:2")) + "\n";
    }
}
