using System.Diagnostics;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>The command that builds the image of VMs, where it cannot.</summary>
public sealed class VmImageTests
{
    [Fact]
    public async Task A_disk_without_room_is_said_at_once_and_nothing_half_made_stays()
    {
        // A disk of 8 MiB of our own, in a namespace that goes with the command.
        var (code, text) = await RunAsync("unshare", "--mount", "sh", "-c",
            $"mount -t tmpfs -o size=8m tmpfs /mnt && mkdir /mnt/images && {QemuVmFixture.Command} /mnt/images/vm; code=$?; ls -A /mnt/images; exit $code");
        Assert.Equal(1, code);
        Assert.Contains("needs 900 MiB to be built", text);
        Assert.EndsWith("vm.lock", text.Trim());
        Assert.DoesNotContain("vm.build", text);
    }

    [Fact]
    public async Task Without_apt_it_says_where_to_build_instead()
    {
        var (code, text) = await RunAsync("unshare", "--mount", "sh", "-c",
            $"mount -t tmpfs tmpfs /mnt && mkdir /mnt/bin && ln -s /usr/bin/* /mnt/bin && rm /mnt/bin/apt-get && PATH=/mnt/bin:/usr/sbin {QemuVmFixture.Command} /mnt/vm");
        Assert.Equal(2, code);
        Assert.Contains("there is no apt-get", text);
    }

    private static async Task<(int Code, string Text)> RunAsync(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await error + await output);
    }
}
