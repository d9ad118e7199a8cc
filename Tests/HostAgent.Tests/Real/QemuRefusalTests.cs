using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Hosting.HostAgent.Vms.Qemu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>Real VMs that cannot be: a reason, and nothing left of them on the machine.</summary>
public sealed class QemuRefusalTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-refusal-").FullName;
    private readonly ServerGroups _groups;
    private readonly AgentSettings _settings;
    private readonly QemuDriver _driver;

    public QemuRefusalTests()
    {
        var image = Directory.CreateDirectory(Path.Combine(_directory, "image")).FullName;
        _settings = new AgentSettings
        {
            Region = "eu-1", Server = "srv-r", Hubs = [], StateDirectory = Path.Combine(_directory, "state"), Vms = [], Capacity = new Capacity(2000, 2048),
            VmMemoryMiB = 2048, HasShare = false, Labels = new Dictionary<string, string>(), Registries = new Dictionary<string, RegistryCredentials>(),
            Names = new Names(_directory, "eu-1", "srv-r"), VmImage = image,
        };
        _groups = new ServerGroups(CgroupMount.OfMachine(), _settings.Names.Group, hasShare: false, NullLogger.Instance);
        _groups.Prepare(null);
        _driver = new QemuDriver(_settings, new VmSettings("vm-1", VmDriverKind.Qemu, new Capacity(1000, 64)) { DiskMiB = 512 }, _groups,
            new SubnetClaims(SubnetClaims.MachineDirectory), TimeProvider.System, NullLogger.Instance);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task An_image_that_does_not_exist_makes_no_vm()
    {
        var error = await StartAsync();
        Assert.Contains($"{_settings.VmImage} is no image of a VM (kernel, initramfs, base, manifest missing): build one with 'infra/vm-image", error);
        NothingIsLeft();
    }

    [Fact]
    public async Task An_image_that_does_not_boot_and_sockets_that_a_crash_left_make_no_vm_and_are_cleared_away()
    {
        foreach (var file in new[] { "kernel", "initramfs", "base", "manifest" })
            File.WriteAllText(Path.Combine(_settings.VmImage!, file), "nothing of use");
        var vm = Directory.CreateDirectory(Path.Combine(_settings.StateDirectory, "vms", "vm-1")).FullName;
        foreach (var left in new[] { "qmp.sock", "control.sock", "data.img" })
            File.WriteAllText(Path.Combine(vm, left), "");
        var error = await StartAsync();
        Assert.Contains("ended", error);
        Assert.Contains("kernel", error);
        NothingIsLeft();
        Assert.All(Directory.GetFileSystemEntries(vm), path => Assert.EndsWith(".log", path));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_settings.StateDirectory, SavedStates.Folder)));
    }

    [Fact]
    public async Task Hardware_that_is_there_and_does_not_work_is_not_used_and_said()
    {
        Assert.SkipUnless(File.Exists("/dev/kvm"), "there is no /dev/kvm here to fail");
        var why = await Emulator.ProbeAsync(new VmImage("/no/such/kernel", "/no/such/initramfs", "", ""), TestContext.Current.CancellationToken);
        Assert.StartsWith("/dev/kvm is there, but a VM does not boot by it (", why);
        var emulator = new Emulator("8", "cpu", 2_000_000, why);
        Assert.Contains(emulator.Acceleration(), argument => argument.StartsWith("tcg", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _groups.RemoveAsync(CancellationToken.None);
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<string> StartAsync() => (await Assert.ThrowsAsync<VmException>(
        () => _driver.StartAsync(new Capacity(1000, 64), TestContext.Current.CancellationToken))).Message;

    private void NothingIsLeft()
    {
        var name = _settings.Names.Vm("vm-1");
        Assert.Empty(NestedVmFixture.Shell("pgrep", "-f", name));
        Assert.Empty(_groups.Processes("vm-1"));
        Assert.False(File.Exists($"/run/netns/{name}") || Path.Exists($"/run/hosting/{name}") || Directory.Exists($"/sys/class/net/{_settings.Names.Veth("vm-1")}"));
        Assert.DoesNotContain(name, NestedVmFixture.Shell("iptables-save"));
        Assert.DoesNotContain(Directory.Exists("/run/hosting/subnets") ? Directory.GetFiles("/run/hosting/subnets") : [], file => File.ReadAllText(file).Contains(name, StringComparison.Ordinal));
        Assert.All(CgroupMount.OfMachine(), mount => Assert.False(Directory.Exists(Path.Combine(mount.Path, $"{_settings.Names.Group}.idle", "vm-1"))));
    }
}
