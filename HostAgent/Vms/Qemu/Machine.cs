using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>The hardware a VM sees. A saved state fits exactly the machine it was saved from.</summary>
/// <param name="Image">What it starts from.</param>
/// <param name="Host">What it runs on.</param>
/// <param name="Cpus">Its processors.</param>
/// <param name="MemoryMiB">Its memory.</param>
/// <param name="DiskMiB">Size of its data disk, which takes what is written to it.</param>
internal sealed record Machine(VmImage Image, Emulator Host, int Cpus, int MemoryMiB, int DiskMiB)
{
    private const int Layout = 2;

    /// <summary>What it may write to the server's disk, in MiB a second; 0: as much as it can. A saved state fits any.</summary>
    public int DiskWriteMiBPerSecond { get; init; }

    /// <summary>Tells states apart that do not fit each other.</summary>
    public string Key => Hash($"{HostKey} {Cpus} {MemoryMiB} {DiskMiB}");

    /// <summary>The part of the key that all machines of the server share.</summary>
    public string HostKey => Hash($"{Layout} {Image.Digest} {Host.Version} {Host.Processor} {Host.HasKvm}");

    /// <summary>
    /// Arguments of the emulator. It gets its disks as open files, 4 and 5 the data disk for writing and for reading, 6 the base:
    /// after a saved state was loaded it opens them anew, and has no rights to by then.
    /// </summary>
    /// <param name="name">Name of the VM.</param>
    /// <param name="directory">A short path of the directory for its sockets.</param>
    public IReadOnlyList<string> Arguments(string name, string directory) =>
    [
        "-name", name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "microvm", .. Host.Acceleration(),
        "-smp", Text(Cpus), "-m", Text(MemoryMiB),
        "-kernel", Image.Kernel, "-initrd", Image.Initramfs,
        "-append", $"console=ttyS0 quiet panic=-1 reboot=t hosting.name=vm {Host.KernelArguments()}".TrimEnd(),
        "-chardev", $"file,id=console,path={directory}/console.log,append=on", "-serial", "chardev:console",
        "-chardev", $"socket,id=control,path={directory}/control.sock,server=on,wait=off",
        "-device", "virtio-serial-device", "-device", "virtconsole,chardev=control",
        "-add-fd", "fd=6,set=1", "-drive", "if=none,id=base,file=/dev/fdset/1,format=raw,read-only=on", "-device", "virtio-blk-device,drive=base",
        "-add-fd", "fd=4,set=2", "-add-fd", "fd=5,set=2", "-drive", "if=none,id=data,file=/dev/fdset/2,file.locking=off,format=raw,discard=unmap" + Throttle, "-device", "virtio-blk-device,drive=data",
        "-netdev", $"tap,id=net,ifname={GuestNetwork.Tap},script=no,downscript=no", "-device", "virtio-net-device,netdev=net,mac=52:54:00:00:00:02",
        "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-device,rng=rng",
        "-device", "virtio-balloon-device,id=balloon,deflate-on-oom=on,free-page-reporting=on",
        "-chardev", $"socket,id=qmp,path={directory}/qmp.sock,server=on,wait=off", "-mon", "chardev=qmp,mode=control",
    ];

    /// <summary>What a VM that runs others' containers is started with besides: it resumes a saved state, as a user of its own without rights.</summary>
    /// <param name="user">Id of that user.</param>
    /// <param name="state">Descriptor of the open state.</param>
    public static IReadOnlyList<string> Confined(int user, int state) =>
    [
        "-incoming", $"fd:{state}", "-runas", $"{user}:{user}", "-sandbox", "on,obsolete=deny,spawn=deny,resourcecontrol=deny",
    ];

    private string Throttle => DiskWriteMiBPerSecond == 0 ? "" : $",throttling.bps-write={DiskWriteMiBPerSecond * 1024L * 1024L}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
