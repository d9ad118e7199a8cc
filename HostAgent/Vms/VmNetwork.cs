using System.Net;

namespace Hosting.HostAgent.Vms;

/// <summary>A nested VM's network: a namespace, a cable to the host, and the host's rules that let it out and, where asked for, let callers in.</summary>
internal sealed class VmNetwork(string name, string veth, int subnet, IPAddress? advertise)
{
    private const int FirstPort = 10_000;
    private const int LastPort = 32_767;
    private const int AdvertisedPorts = 512;
    private const string AllVms = "10.222.0.0/16";
    private static readonly string[] Restore = ["-w", "10", "--noflush"];

    private string Comment => $"-m comment --comment {name}";

    /// <summary>Name of the namespace, and the comment of the rules.</summary>
    public string Name => name;

    /// <summary>Path by which a process enters it.</summary>
    public string NamespaceFile => $"/run/netns/{name}";

    /// <summary>Address of the VM.</summary>
    public string Address => AddressOf(2);

    /// <summary>Address at which gateways reach it.</summary>
    public string PublicAddress => advertise?.ToString() ?? Address;

    /// <summary>
    /// Ports for containers. A VM has them all to itself, unless they are the host's at the same time: then VMs share, and the
    /// range ends before the kernel's ports for outgoing connections.
    /// </summary>
    public (int First, int Last) Ports => advertise is null ? (FirstPort, LastPort)
        : (FirstPort + (subnet * AdvertisedPorts), FirstPort + (subnet * AdvertisedPorts) + AdvertisedPorts - 1);

    /// <summary>Makes it anew, whatever was there.</summary>
    public async Task CreateAsync(CancellationToken cancellation)
    {
        if (Ports.Last > LastPort)
            throw new VmException($"With AdvertiseAddress a machine has ports for {(LastPort - FirstPort) / AdvertisedPorts} VMs; this would be number {subnet + 1}.");
        await RemoveAsync(name, veth, cancellation);
        await Commands.RunAsync($"ip netns add {name}", cancellation);
        await Commands.RunAsync("ip", ["-batch", "-"],
            $"link add {veth} type veth peer name eth0 netns {name}\naddr add {AddressOf(1)}/30 dev {veth}\nlink set {veth} up\n", cancellation);
        await Commands.RunAsync("ip", ["-n", name, "-batch", "-"],
            $"link set lo up\naddr add {Address}/30 dev eth0\nlink set eth0 up\nroute add default via {AddressOf(1)}\n", cancellation);
        await File.WriteAllTextAsync("/proc/sys/net/ipv4/ip_forward", "1", cancellation);
        await Commands.RunAsync("iptables-restore", [.. Restore], Table("filter", FilterRules()) + Table("nat", NatRules()), cancellation);
    }

    /// <summary>Removes every trace; nothing there is fine.</summary>
    public static async Task RemoveAsync(string name, string veth, CancellationToken cancellation)
    {
        foreach (var table in new[] { "nat", "filter" })
        {
            var (code, rules, _) = await Commands.TryAsync("iptables", ["-w", "10", "-t", table, "-S"], null, cancellation);
            var ours = code == 0 ? rules.Split('\n').Where(rule => IsOurs(rule, name)).Select(rule => $"-D{rule[2..]}").ToList() : [];
            // All at once; where one went meanwhile, each for itself.
            if (ours.Count == 0 || (await Commands.TryAsync("iptables-restore", [.. Restore], Table(table, ours), cancellation)).Code == 0)
                continue;
            foreach (var rule in ours)
                await Commands.TryAsync("iptables", ["-w", "10", "-t", table, .. rule.Split(' ').Select(word => word.Trim('"'))], null, cancellation);
        }

        if (Directory.Exists($"/sys/class/net/{veth}"))
            await Commands.TryAsync("ip", ["link", "del", veth], null, cancellation);
        if (File.Exists($"/run/netns/{name}"))
            await Commands.TryAsync("ip", ["netns", "del", name], null, cancellation);
    }

    private static bool IsOurs(string rule, string name) =>
        rule.StartsWith("-A ", StringComparison.Ordinal) && rule.Split(' ').Any(word => word.Trim('"') == name);

    /// <summary>
    /// The forward rules come first, as a container engine on the host drops what it does not know. From a VM neither another VM nor
    /// the host itself can be reached, but for its name server.
    /// </summary>
    private IEnumerable<string> FilterRules()
    {
        yield return $"-I FORWARD -i {veth} ! -d {AllVms} {Comment} -j ACCEPT";
        yield return $"-I FORWARD -o {veth} ! -s {AllVms} {Comment} -j ACCEPT";
        yield return $"-I FORWARD -i {veth} -d {AllVms} {Comment} -j DROP";
        yield return $"-I INPUT -i {veth} -m conntrack --ctstate NEW,INVALID {Comment} -j DROP";
        foreach (var protocol in new[] { "udp", "tcp" })
            yield return $"-I INPUT -i {veth} -p {protocol} --dport 53 {Comment} -j ACCEPT";
    }

    private IEnumerable<string> NatRules()
    {
        yield return $"-A POSTROUTING -s {Address}/32 ! -o {veth} {Comment} -j MASQUERADE";
        if (advertise is null)
            yield break;
        foreach (var chain in new[] { "PREROUTING", "OUTPUT" })
            yield return $"-A {chain} -d {advertise} -p tcp --dport {Ports.First}:{Ports.Last} {Comment} -j DNAT --to-destination {Address}";
    }

    private static string Table(string table, IEnumerable<string> rules) => $"*{table}\n{string.Join('\n', rules)}\nCOMMIT\n";

    private string AddressOf(int host)
    {
        var offset = (subnet * 4) + host;
        return $"10.222.{offset / 256}.{offset % 256}";
    }
}
