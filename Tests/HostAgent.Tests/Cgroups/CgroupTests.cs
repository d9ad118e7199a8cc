using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Utilization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Cgroups;

public sealed class CgroupTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cgroups-").FullName;

    [Fact]
    public void Mounts_of_both_versions_are_read_with_their_controllers()
    {
        var mounts = CgroupMount.Parse("""
            sysfs /sys sysfs rw,relatime 0 0
            cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
            cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
            cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,xattr,name=systemd 0 0
            cgroup2 /nowhere cgroup2 rw,relatime 0 0
            cgroup /again cgroup rw,relatime,memory 0 0
            """);
        Assert.Equal(["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/systemd", "/nowhere"], mounts.Select(mount => mount.Path));
        Assert.True(mounts[0].Controllers.SetEquals(["cpu", "cpuacct"]));
        Assert.True(mounts[2].Controllers.SetEquals(["name=systemd"]));
        Assert.True(mounts[3].IsV2);
    }

    [Fact]
    public void On_version_1_the_top_idle_group_gets_the_lowest_class_and_the_vm_its_limits()
    {
        var groups = new ServerGroups([Mount("cpu", "cpu"), Mount("acct", "cpuacct"), Mount("memory", "memory")], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null);
        var vm = groups.PrepareVm("vm-1", new Capacity(1500, 512));
        Assert.Equal("2", Read("cpu/hosting-x.idle/cpu.shares"));
        Assert.Equal("256", Read("cpu/hosting-x.engines/cpu.shares"));
        Assert.Equal("150000", Read("cpu/hosting-x.idle/vm-1/cpu.cfs_quota_us"));
        Assert.Equal("536870912", Read("memory/hosting-x.idle/vm-1/memory.limit_in_bytes"));
        Assert.Equal("/hosting-x.idle/vm-1", vm.ContainersParent);
        Assert.Equal([.. new[] { "cpu", "acct", "memory" }.Select(mount => $"{_root}/{mount}/hosting-x.engines/vm-1")], vm.EngineGroups);
    }

    [Fact]
    public void What_somebody_changed_in_the_groups_is_found_when_they_are_read_back()
    {
        var groups = new ServerGroups([Mount("cpu", "cpu"), Mount("memory", "memory")], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null);
        groups.PrepareVm("vm-1", new Capacity(1500, 512));
        Assert.Null(groups.NotInForce());
        File.WriteAllText($"{_root}/memory/hosting-x.idle/vm-1/memory.limit_in_bytes", "1073741824\n");
        Assert.Equal($"{_root}/memory/hosting-x.idle/vm-1/memory.limit_in_bytes is 1073741824, not 536870912", groups.NotInForce());
        File.WriteAllText($"{_root}/cpu/hosting-x.idle/cpu.shares", "1024\n");
        Assert.Equal($"{_root}/cpu/hosting-x.idle/cpu.shares is 1024, not 2", groups.NotInForce());
        groups.Prepare(null);
        groups.PrepareVm("vm-1", new Capacity(1500, 512));
        Assert.Null(groups.NotInForce());
    }

    [Fact]
    public void Where_the_kernel_has_an_idle_class_that_is_taken()
    {
        Directory.CreateDirectory($"{_root}/cpu/hosting-x.idle");
        File.WriteAllText($"{_root}/cpu/hosting-x.idle/cpu.idle", "0");
        new ServerGroups([Mount("cpu", "cpu")], "hosting-x", hasShare: false, NullLogger.Instance).Prepare(null);
        Assert.Equal("1", Read("cpu/hosting-x.idle/cpu.idle"));
        Assert.False(File.Exists($"{_root}/cpu/hosting-x.idle/cpu.shares"));
    }

    [Fact]
    public void On_version_2_a_share_has_its_limits_and_controllers_are_handed_down()
    {
        var mount = new CgroupMount(_root, true, new HashSet<string> { "cpu", "memory", "pids" });
        var groups = new ServerGroups([mount], "hosting-x", hasShare: true, NullLogger.Instance);
        groups.Prepare(new Capacity(500, 1024));
        groups.PrepareVm("vm-1", new Capacity(250, 256));
        Assert.Equal("50000 100000", Read("hosting-x/cpu.max"));
        Assert.Equal("1073741824", Read("hosting-x/memory.max"));
        Assert.Equal("1", Read("hosting-x/idle/cpu.weight"));
        Assert.Equal("25", Read("hosting-x/engines/cpu.weight"));
        Assert.Equal("25000 100000", Read("hosting-x/idle/vm-1/cpu.max"));
        Assert.True(Directory.Exists($"{_root}/hosting-x/primary"));
        foreach (var parent in new[] { "", "hosting-x", "hosting-x/idle" })
            Assert.Equal("+cpu +memory +pids", Read($"{parent}/cgroup.subtree_control".TrimStart('/')));
    }

    [Fact]
    public void On_version_2_the_vms_are_last_at_the_disks_and_first_to_give_memory_back()
    {
        var mount = new CgroupMount(_root, true, new HashSet<string> { "cpu", "memory", "io" });
        Directory.CreateDirectory($"{_root}/hosting-x.idle");
        File.WriteAllText($"{_root}/hosting-x.idle/io.weight", "default 100\n");
        var groups = new ServerGroups([mount], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null, vmMemoryMiB: 1024);
        Assert.Equal(("default 1", "1073741824"), (Read("hosting-x.idle/io.weight"), Read("hosting-x.idle/memory.high")));
        Assert.Null(groups.NotInForce());
        File.WriteAllText($"{_root}/hosting-x.idle/io.weight", "default 100\n");
        Assert.Equal($"{_root}/hosting-x.idle/io.weight is default 100, not default 1", groups.NotInForce());
        groups.Prepare(null, vmMemoryMiB: 512);
        File.WriteAllText($"{_root}/hosting-x.idle/memory.high", "max\n");
        Assert.Equal($"{_root}/hosting-x.idle/memory.high is max, not 536870912", groups.NotInForce());
    }

    [Fact]
    public void A_running_vms_limits_follow_what_it_offers()
    {
        var groups = new ServerGroups([Mount("cpu", "cpu"), Mount("memory", "memory")], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null, vmMemoryMiB: 2048);
        groups.PrepareVm("vm-1", new Capacity(1500, 512));
        Assert.Null(groups.LimitVm("vm-1", new Capacity(1000, 256)));
        Assert.Equal(("268435456", "100000", "2147483648"), (Read("memory/hosting-x.idle/vm-1/memory.limit_in_bytes"),
            Read("cpu/hosting-x.idle/vm-1/cpu.cfs_quota_us"), Read("memory/hosting-x.idle/memory.soft_limit_in_bytes")));
        Assert.Null(groups.NotInForce());
    }

    [Fact]
    public void A_cap_holds_all_containers_and_on_version_1_no_vm_may_have_more()
    {
        var groups = new ServerGroups([Mount("cpu", "cpu")], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null);
        groups.PrepareVm("vm-1", new Capacity(1500, 512));
        Assert.Equal("-1", Read("cpu/hosting-x.idle/cpu.cfs_quota_us"));
        Assert.Null(groups.CapContainers(700));
        groups.PrepareVm("vm-2", new Capacity(500, 512));
        Assert.Equal(("70000", "70000", "50000"), (Read("cpu/hosting-x.idle/cpu.cfs_quota_us"),
            Read("cpu/hosting-x.idle/vm-1/cpu.cfs_quota_us"), Read("cpu/hosting-x.idle/vm-2/cpu.cfs_quota_us")));
        Assert.Null(groups.CapContainers(null));
        Assert.Equal(("-1", "150000"), (Read("cpu/hosting-x.idle/cpu.cfs_quota_us"), Read("cpu/hosting-x.idle/vm-1/cpu.cfs_quota_us")));
    }

    [Fact]
    public void A_cap_on_version_2_is_lifted_by_name()
    {
        var groups = new ServerGroups([new CgroupMount(_root, true, new HashSet<string> { "cpu" })], "hosting-x", hasShare: false, NullLogger.Instance);
        groups.Prepare(null);
        Assert.Null(groups.CapContainers(700));
        Assert.Equal("70000 100000", Read("hosting-x.idle/cpu.max"));
        Assert.Null(groups.CapContainers(null));
        Assert.Equal("max 100000", Read("hosting-x.idle/cpu.max"));
    }

    [Fact]
    public void A_units_group_is_found_wherever_it_is()
    {
        var mount = Mount("systemd", "name=systemd");
        Directory.CreateDirectory($"{mount.Path}/system.slice/system-postgresql.slice/postgresql@15-main.service");
        var groups = new ServerGroups([mount], "hosting-x", hasShare: false, NullLogger.Instance);
        Assert.Equal("system.slice/system-postgresql.slice/postgresql@15-main.service", groups.GroupOfUnit("postgresql@15-main.service"));
        Assert.Null(groups.GroupOfUnit("nginx.service"));
    }

    [Fact]
    public void Usage_of_both_versions_is_read()
    {
        Directory.CreateDirectory($"{_root}/g");
        File.WriteAllText($"{_root}/g/cpu.stat", "usage_usec 2500000\nuser_usec 1\n");
        File.WriteAllText($"{_root}/g/memory.current", "1000\n");
        File.WriteAllText($"{_root}/g/memory.stat", "anon 1\ninactive_file 400\n");
        File.WriteAllText($"{_root}/g/cpuacct.usage", "1500000000\n");
        var (v2, v1) = (new Cgroup(new CgroupMount(_root, true, new HashSet<string>()), "g"), new Cgroup(new CgroupMount(_root, false, new HashSet<string>()), "g"));
        using var second = new GroupUsage(v2, v2);
        using var first = new GroupUsage(v1, v1);
        Assert.Equal((2.5, 600L), (second.CpuSeconds(), second.MemoryBytes()));
        Assert.Equal(1.5, first.CpuSeconds());
        Assert.Equal((3.75, 13.75), UtilizationSampler.MachineCpu("cpu  100 50 200 900 100 5 20 77 0 0\ncpu0 1 1"u8));
    }

    [Fact]
    public async Task On_this_machine_the_settings_are_in_force_and_nothing_is_left()
    {
        var name = $"hosting-test-{Environment.ProcessId}";
        var mounts = CgroupMount.OfMachine();
        var groups = new ServerGroups(mounts, name, hasShare: true, NullLogger.Instance);
        groups.Prepare(new Capacity(1000, 1024), vmMemoryMiB: 700);
        groups.PrepareVm("vm-1", new Capacity(500, 256));
        Assert.Null(groups.LimitVm("vm-1", new Capacity(500, 128)));
        Assert.Null(groups.NotInForce());
        var cpu = mounts.First(mount => mount.Controllers.Contains("cpu"));
        var idle = new Cgroup(cpu, $"{name}/idle");
        Assert.Null(idle.SetLowestClass());
        Assert.Null(new Cgroup(cpu, $"{name}/idle/vm-1").SetCpuLimit(500));
        Assert.Null(new Cgroup(mounts.First(mount => mount.Controllers.Contains("memory")), $"{name}/idle/vm-1").SetMemoryLimit(256));
        foreach (var cap in new int?[] { 400, 100, 300, 800, null })
            Assert.Null(groups.CapContainers(cap));
        using var usage = groups.Usage(groups.Root!);
        Assert.Equal(0, usage.CpuSeconds());
        await groups.RemoveVmAsync("vm-1", TestContext.Current.CancellationToken);
        await groups.RemoveAsync(TestContext.Current.CancellationToken);
        Assert.All(mounts, mount => Assert.False(Directory.Exists(Path.Combine(mount.Path, name))));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private CgroupMount Mount(string directory, string controller)
    {
        var path = Directory.CreateDirectory(Path.Combine(_root, directory)).FullName;
        return new CgroupMount(path, false, new HashSet<string> { controller });
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_root, file));
}
