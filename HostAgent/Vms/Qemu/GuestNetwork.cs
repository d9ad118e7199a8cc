namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>
/// The cable between a VM and its network namespace. Inside, every VM has the same address, so that a saved state fits all of
/// them; the namespace translates it.
/// </summary>
internal static class GuestNetwork
{
    /// <summary>The namespace's end of the cable.</summary>
    public const string Tap = "tap0";

    /// <summary>Port at which a VM's engine is reached.</summary>
    public const int EnginePort = 2376;

    private const string Host = "10.223.0.1";
    private const string Guest = "10.223.0.2";

    /// <summary>Adds it to a namespace that was made anew.</summary>
    public static async Task AddAsync(VmNetwork network, CancellationToken cancellation)
    {
        await Commands.RunAsync("ip", ["-n", network.Name, "-batch", "-"],
            $"tuntap add dev {Tap} mode tap\naddr add {Host}/30 dev {Tap}\nlink set {Tap} up\n", cancellation);
        await Commands.RunAsync("nsenter", [$"--net={network.NamespaceFile}", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward && exec iptables-restore -w 10"],
            $"*nat\n-A PREROUTING -i eth0 -p tcp -j DNAT --to-destination {Guest}\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n", cancellation);
    }
}
