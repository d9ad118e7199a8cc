using System.Globalization;
using System.Text.Json;
using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>The emulator of this server.</summary>
/// <param name="Version">What it says of itself.</param>
/// <param name="Processor">The server's processor.</param>
/// <param name="ProcessorKHz">Its clock.</param>
/// <param name="WhyNoKvm">Why VMs have to be emulated; null when the hardware runs them.</param>
internal sealed record Emulator(string Version, string Processor, long ProcessorKHz, string? WhyNoKvm)
{
    /// <summary>Name of its program.</summary>
    public const string Program = "qemu-system-x86_64";

    private const string Works = "hosting-probe-works";
    private const int TranslationsMiB = 128;
    private static readonly TimeSpan ProbeDeadline = TimeSpan.FromSeconds(10);
    private static readonly string ProbeFile = Path.Combine(SubnetClaims.MachineDirectory, "kvm.json");
    private static readonly string ProbeLock = ProbeFile + ".lock";
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(30);

    /// <summary>Whether VMs run on the hardware.</summary>
    public bool HasKvm => WhyNoKvm is null;

    /// <summary>Memory it takes beside the VM's own, in MiB.</summary>
    public int OverheadMiB => HasKvm ? 128 : 128 + TranslationsMiB + 64;

    /// <summary>Finds out what there is. Whether a VM really boots by the hardware is tried once a boot of the server and image.</summary>
    /// <exception cref="VmException">There is no emulator.</exception>
    public static async Task<Emulator> FindAsync(VmImage image, CancellationToken cancellation)
    {
        var version = (await Commands.RunAsync($"{Program} --version", cancellation)).Split('\n')[0];
        var lines = await File.ReadAllLinesAsync("/proc/cpuinfo", cancellation);
        var kiloHertz = (long)(double.Parse(Field(lines, "cpu MHz", "1000"), CultureInfo.InvariantCulture) * 1000);
        var reason = File.Exists("/dev/kvm") ? await ProbeOnceAsync(image, version, cancellation) : "there is no /dev/kvm";
        return new Emulator(version, Field(lines, "model name", "unknown"), kiloHertz, reason);
    }

    /// <summary>How it runs a VM's instructions.</summary>
    public IReadOnlyList<string> Acceleration() =>
        HasKvm ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", $"tcg,thread=multi,tb-size={TranslationsMiB}", "-cpu", "max"];

    /// <summary>An emulated microvm has no clock that a kernel could measure its processor by, and without that it waits for ever.</summary>
    public string KernelArguments() => HasKvm ? "" : string.Create(CultureInfo.InvariantCulture, $"tsc_early_khz={ProcessorKHz}");

    /// <summary>Whoever starts a VM next finds out anew; unless another agent of the machine does just now.</summary>
    public static async Task ForgetProbeAsync(CancellationToken cancellation)
    {
        if (!File.Exists(ProbeFile))
            return;
        using var alone = await DirectoryLock.TakeAsync(ProbeLock, TimeSpan.Zero, cancellation);
        if (alone is null)
            return;
        File.Delete(ProbeFile);
        File.Delete(ProbeLock);
    }

    private static async Task<string?> ProbeOnceAsync(VmImage image, string version, CancellationToken cancellation)
    {
        using var _ = await DirectoryLock.TakeAsync(ProbeLock, LockWait, cancellation);
        var about = $"{image.Digest} {version}";
        if (Read(ProbeFile) is { } known && known.About == about)
            return known.WhyNot;
        var reason = await ProbeAsync(image, cancellation);
        AtomicFile.Write(ProbeFile, JsonSerializer.SerializeToUtf8Bytes(new Probe(about, reason)), durable: false);
        return reason;
    }

    /// <summary>A device that is there may still run no kernel, as on servers that are VMs themselves.</summary>
    internal static async Task<string?> ProbeAsync(VmImage image, CancellationToken cancellation)
    {
        string[] arguments =
        [
            "-k", "1", ProbeDeadline.TotalSeconds.ToString(CultureInfo.InvariantCulture), Program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "microvm", "-accel", "kvm", "-cpu", "host", "-m", "256", "-kernel", image.Kernel, "-initrd", image.Initramfs,
            "-append", "console=ttyS0 quiet panic=-1 reboot=t hosting.probe", "-serial", "stdio",
        ];
        var (code, output, error) = await Commands.TryAsync("timeout", arguments, null, cancellation);
        if (output.Contains(Works, StringComparison.Ordinal))
            return null;
        var words = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        return $"/dev/kvm is there, but a VM does not boot by it ({words ?? (code is 124 or 137 ? $"nothing within {ProbeDeadline.TotalSeconds:0} s" : "its kernel died")})";
    }

    private static Probe? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Probe>(File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }

    private static string Field(IEnumerable<string> lines, string name, string otherwise) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? otherwise;

    private sealed record Probe(string About, string? WhyNot);
}
