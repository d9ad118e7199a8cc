using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Utilization;
using Microsoft.Extensions.Configuration;

namespace Hosting.HostAgent.Tests.Configuration;

public sealed class SettingsTests
{
    private static readonly Capacity Machine = new(4000, 8192);

    [Fact]
    public void A_minimal_configuration_gets_two_vms_over_all_cpu_and_half_of_the_memory()
    {
        var (settings, errors) = Read();
        Assert.Empty(errors);
        Assert.Equal([("vm-1", new Capacity(2000, 2048)), ("vm-2", new Capacity(2000, 2048))], settings!.Vms.Select(vm => (vm.Name, vm.Capacity)));
        Assert.Equal(Machine, settings.Capacity);
        var (large, _) = AgentSettingsFactory.Read(Configuration(), new Capacity(64_000, 262_144));
        Assert.All(large!.Vms, vm => Assert.Equal(4096, vm.Capacity.MemoryMiB));
    }

    [Fact]
    public void A_real_vm_needs_an_image_and_fits_its_server()
    {
        (string, string)[] vm = [("Vms:0:Name", "a"), ("Vms:0:Driver", "qemu"), ("Vms:0:CpuMillis", "2000"), ("Vms:0:MemoryMiB", "1024")];
        var real = Assert.Single(Read([.. vm, ("VmImage", "/images/vm")]).Settings!.Vms);
        Assert.Equal((VmDriverKind.Qemu, 20_480), (real.Driver, real.DiskMiB));
        Assert.Equal("Agent:VmImage must be a path; it is missing.", Assert.Single(Read(vm).Errors));
        var larger = Assert.Single(Read([.. vm, ("VmImage", "/images/vm"), ("Vms:1:Name", "b"), ("Vms:1:Driver", "qemu"), ("Vms:1:CpuMillis", "2000"), ("Vms:1:MemoryMiB", "9000")]).Errors);
        Assert.Equal("Agent:Vms:1:MemoryMiB must be 64 to 8192; it is 9000.", larger);
        Assert.Contains("DiskMiB belongs to the driver 'qemu'",
            Assert.Single(Read(("Vms:0:Name", "a"), ("Vms:0:CpuMillis", "2000"), ("Vms:0:MemoryMiB", "1024"), ("Vms:0:DiskMiB", "1024")).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void How_big_vms_are_follows_from_the_server_and_what_it_reserves()
    {
        Assert.Equal([new Capacity(1000, 1024), new Capacity(1000, 1024), new Capacity(1000, 1024), new Capacity(1000, 1024)],
            Read(("VmCount", "4")).Settings!.Vms.Select(vm => vm.Capacity));
        var reserved = Read(("VmCount", "3"), ("Reserve:CpuMillis", "1000"), ("Reserve:MemoryMiB", "2192")).Settings!;
        Assert.Equal([("vm-1", new Capacity(1000, 2000)), ("vm-2", new Capacity(1000, 2000)), ("vm-3", new Capacity(1000, 2000))], reserved.Vms.Select(vm => (vm.Name, vm.Capacity)));
        Assert.Equal(6000, reserved.VmMemoryMiB);
        Assert.Empty(Read(("VmCount", "0")).Settings!.Vms);
        var real = Read(("VmCount", "2"), ("VmDriver", "qemu"), ("VmImage", "/i"), ("Reserve:MemoryMiB", "2000")).Settings!.Vms;
        Assert.All(real, vm => Assert.Equal((VmDriverKind.Qemu, new Capacity(2000, ((8192 - 2000) / 2) - 512)), (vm.Driver, vm.Capacity)));
        var mixed = Read(("Reserve:MemoryMiB", "1000"), ("Vms:0:Name", "a"), ("Vms:0:MemoryMiB", "1192"), ("Vms:0:CpuMillis", "500"), ("Vms:1:Name", "b"), ("Vms:2:Name", "c"));
        Assert.Equal([new Capacity(500, 1192), new Capacity(1750, 3000), new Capacity(1750, 3000)], mixed.Settings!.Vms.Select(vm => vm.Capacity));
    }

    [Fact]
    public void More_than_the_reserve_leaves_is_an_error_that_says_what_to_do()
    {
        Assert.Equal("Agent:Vms:*:MemoryMiB: of the server's 8192 MiB the reserve of 8100 and the other VMs leave 46 for each of 2 VMs, which needs 64: "
            + "ask for fewer VMs, or lower Agent:Reserve.", Assert.Single(Read(("Reserve:MemoryMiB", "8100")).Errors));
        Assert.Equal("Agent:Vms:*:CpuMillis: the VMs have 4000 m CPU together, and of the server's 4000 the reserve leaves 3000: lower one of them.",
            Assert.Single(Read(("Reserve:CpuMillis", "1000"), ("Vms:0:Name", "a"), ("Vms:0:CpuMillis", "4000"), ("Vms:0:MemoryMiB", "512")).Errors));
        Assert.Contains("Agent:Reserve:MemoryMiB must be 0 to 8192", Read(("Reserve:MemoryMiB", "9000")).Errors[0], StringComparison.Ordinal);
        Assert.Contains("keep one way", Assert.Single(Read(("VmCount", "2"), ("Vms:0:Name", "a"), ("Vms:0:CpuMillis", "100"), ("Vms:0:MemoryMiB", "64")).Errors), StringComparison.Ordinal);
        Assert.Contains("Agent:VmDriver must be", Assert.Single(Read(("VmDriver", "engine")).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void A_share_is_the_servers_capacity()
    {
        var (settings, errors) = Read(("Share:CpuMillis", "500"), ("Share:MemoryMiB", "1024"));
        Assert.Empty(errors);
        Assert.Equal(new Capacity(500, 1024), settings!.Capacity);
        Assert.All(settings.Vms, vm => Assert.Equal(new Capacity(250, 256), vm.Capacity));
    }

    [Fact]
    public void Labels_come_with_the_hello()
    {
        var (settings, errors) = Read(("Labels:disk", "ssd"), ("Labels:zone", "a"));
        Assert.Empty(errors);
        Assert.Equal([("disk", "ssd"), ("zone", "a")], AgentMessages.Hello(settings!, 1, [], []).Hello.Labels.Select(l => (l.Key, l.Value)).Order());
    }

    [Fact]
    public void Labels_that_no_app_could_ask_for_are_errors()
    {
        Assert.Contains("Agent:Labels:disk", Assert.Single(Read(("Labels:disk", new string('x', 257))).Errors), StringComparison.Ordinal);
        var many = Enumerable.Range(0, 65).Select(i => ($"Labels:label-{i}", "x")).ToArray();
        Assert.Contains("65 entries; at most 64", Assert.Single(Read(many).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_is_reported_at_once()
    {
        var (settings, errors) = Read(("Region", "EU 1"), ("Server", ""), ("Hubs:0", "ftp://x"), ("StateDirectory", ""), ("Colour", "red"),
            ("AdvertiseAddress", "nowhere"), ("Share:CpuMillis", "9000"), ("Share:MemoryMiB", "1"), ("Vms:0:Name", "a"), ("Vms:0:CpuMillis", "100"),
            ("Vms:0:MemoryMiB", "1"), ("Vms:1:Name", "a"), ("Vms:1:Driver", "engine"), ("Vms:1:CpuMillis", "100"), ("Vms:1:MemoryMiB", "64"));
        Assert.Null(settings);
        string[] subjects = ["Colour", "Region", "Server", "StateDirectory", "Hubs", "AdvertiseAddress", "Share:CpuMillis", "Share:MemoryMiB",
            "Vms:0:MemoryMiB", "different names", "Vms:1:Endpoint", "Vms:1:Address"];
        Assert.All(subjects, subject => Assert.Contains(errors, error => error.Contains(subject, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_primary_is_named_in_exactly_one_way()
    {
        Assert.Null(Read().Settings!.Primary);
        Assert.Equal("nginx.service", Read(("Primary:Unit", "nginx.service")).Settings!.Primary!.Unit);
        Assert.Equal([7, 8], Read(("Primary:Pids:0", "7"), ("Primary:Pids:1", "8")).Settings!.Primary!.Pids);
        Assert.Equal(["postgres"], Read(("Primary:Processes:0", "postgres")).Settings!.Primary!.Processes);
        Assert.Contains("exactly one", Assert.Single(Read(("Primary:Unit", "nginx.service"), ("Primary:Cgroup", "/a")).Errors));
        Assert.Contains("Primary:Unit", Assert.Single(Read(("Primary:Unit", "nginx")).Errors));
        Assert.Contains("Primary:Cgroup", Assert.Single(Read(("Primary:Cgroup", "/a/../b")).Errors));
        Assert.Contains("Primary:Pids", Assert.Single(Read(("Primary:Pids:0", "-1")).Errors));
        Assert.Contains("Primary:Processes", Assert.Single(Read(("Primary:Processes:0", "a-name-far-too-long")).Errors));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1.1")]
    public void The_last_resort_begins_at_a_share(string share) =>
        Assert.Contains("LastResortMemory", Assert.Single(Read(("LastResortMemory", share)).Errors));

    [Fact]
    public void A_number_that_is_none_is_an_error_and_no_exception() =>
        Assert.NotEmpty(Read(("Share:CpuMillis", "much")).Errors);

    [Fact]
    public void A_registry_may_have_a_port()
    {
        var (settings, errors) = Read(("Registries:reg.example.com:Username", "u"), ("Registries:localhost:5000:Username", "v"), ("Registries:localhost:5000:Password", "w"));
        Assert.Empty(errors);
        Assert.Equal(new RegistryCredentials("v", "w"), settings!.Registries["localhost:5000"]);
        Assert.Equal("u", settings.Registries["reg.example.com"].Username);
    }

    [Fact]
    public void Names_of_two_stacks_differ_and_fit_the_kernel()
    {
        var (one, two) = (new Names("/var/lib/a", "eu-1", "srv-1"), new Names("/var/lib/b", "eu-1", "srv-1"));
        Assert.NotEqual(one.Group, two.Group);
        Assert.NotEqual(one.Veth("vm-1"), two.Veth("vm-1"));
        Assert.NotEqual(one.Veth("vm-1"), one.Veth("vm-2"));
        Assert.True(one.Veth(new string('v', 63)).Length <= 15);
    }

    [Fact]
    public void The_command_line_is_understood_or_refused()
    {
        Assert.Equal(AgentCommand.Run, CommandLine.Parse([])!.Command);
        Assert.Equal((AgentCommand.PowerOff, "f.json"), (CommandLine.Parse(["power-off", "--config", "f.json"])!.Command, CommandLine.Parse(["power-off", "--config=f.json"])!.ConfigFile));
        Assert.Equal(AgentCommand.Purge, CommandLine.Parse(["purge"])!.Command);
        Assert.Null(CommandLine.Parse(["dance"]));
        Assert.Null(CommandLine.Parse(["--config"]));
    }

    [Fact]
    public void Hubs_are_tried_again_between_a_tenth_of_a_second_and_five_seconds()
    {
        Assert.Equal(0.05, HubBackoff.Delay(1, 0).TotalSeconds, 3);
        Assert.Equal(0.1, HubBackoff.Delay(1, 1).TotalSeconds, 3);
        Assert.Equal(5, HubBackoff.Delay(int.MaxValue, 1).TotalSeconds, 3);
    }

    private static (AgentSettings? Settings, IReadOnlyList<string> Errors) Read(params (string Key, string Value)[] changes) =>
        AgentSettingsFactory.Read(Configuration(changes), Machine);

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] changes)
    {
        var values = new Dictionary<string, string?>
        {
            ["Agent:Region"] = "eu-1", ["Agent:Server"] = "srv-1", ["Agent:Hubs:0"] = "http://127.0.0.1:1", ["Agent:StateDirectory"] = "/var/lib/hosting",
        };
        foreach (var (key, value) in changes)
            values[$"Agent:{key}"] = value;
        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }
}
