using System.Net;
using System.Net.Sockets;
using Hosting.HostAgent.Engine;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>What a container can do to others, tried from inside one.</summary>
public sealed class IsolationTests(NestedVmFixture vm) : IClassFixture<NestedVmFixture>
{
    [Fact]
    public async Task A_container_has_no_rights_beyond_itself_and_reaches_neither_host_nor_engine_nor_neighbours()
    {
        var (prisoner, neighbour) = (vm.Web("prisoner"), vm.Web("neighbour"));
        prisoner.ReadOnlyRoot = true;
        vm.Hub.Want(NestedVmFixture.Vm, prisoner, neighbour);
        var endpoint = (await RunningAsync(neighbour)).Endpoint;
        await RunningAsync(prisoner);

        var status = Inside(prisoner, "cat /proc/1/status");
        Assert.Contains("NoNewPrivs:\t1", status);
        Assert.Contains("Seccomp:\t2", status);
        // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE
        Assert.Contains("CapBnd:\t00000000000005fb", status);
        var files = Math.Min(65_536, int.Parse(NestedVmFixture.Shell("sh", "-c", "ulimit -Hn")));
        Assert.Equal($"{files} 4096", Inside(prisoner, "echo $(ulimit -n) $(cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max)"));
        if (WriteLimit.For(vm.StateDirectory, 20) is not null)
            Assert.Contains("20971520", Inside(prisoner, "cat /sys/fs/cgroup/blkio/blkio.throttle.write_bps_device 2>/dev/null || cat /sys/fs/cgroup/io.max"));
        Assert.Equal("no no yes", Inside(prisoner,
            "for file in /x /bin/x /tmp/x; do if echo x 2>/dev/null >$file; then echo yes; else echo no; fi; done 2>/dev/null").Replace('\n', ' '));
        Assert.Equal("yes", Inside(neighbour, "if echo x >/x; then echo yes; fi"));

        using var host = new TcpListener(IPAddress.Any, 0);
        host.Start();
        var gateway = vm.Docker($"inspect --format {{{{.NetworkSettings.Gateway}}}} {prisoner.Id}");
        var address = vm.Docker($"inspect --format {{{{.NetworkSettings.IPAddress}}}} {neighbour.Id}");
        var hostAddress = NestedVmFixture.Shell("ip", "netns", "exec", vm.Names.Vm(NestedVmFixture.Vm), "ip", "route", "show", "default").Split(' ')[2];
        var port = ((IPEndPoint)host.LocalEndpoint).Port;
        Assert.Equal("open", Connect(prisoner, "127.0.0.1", 8080, seconds: 30));
        Assert.All(new[] { (hostAddress, port), (gateway, 2375), (address, 8080), (endpoint.Split(':')[0], int.Parse(endpoint.Split(':')[1])) },
            target => Assert.Equal("closed", Connect(prisoner, target.Item1, target.Item2)));
        Assert.False(host.Pending(), "a connection came to the host");
        vm.Hub.Want(NestedVmFixture.Vm);
    }

    /// <summary>Asks a web server, or whoever listens there.</summary>
    private string Connect(DesiredContainer from, string address, int port, int seconds = 2) => Inside(from,
        $"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox timeout {seconds} /bin/busybox nc {address} {port} 2>/dev/null").StartsWith("HTTP/", StringComparison.Ordinal)
        ? "open"
        : "closed";

    private string Inside(DesiredContainer container, string script) => NestedVmFixture.Shell(
        "docker", "-H", $"unix://{vm.StateDirectory}/vms/{NestedVmFixture.Vm}/engine.sock", "exec", container.Id, "/bin/sh", "-c", script);

    private Task<Container> RunningAsync(DesiredContainer wanted) =>
        vm.Hub.Container(wanted.Id, one => one is { State: ContainerState.Running, Healthy: true });
}
