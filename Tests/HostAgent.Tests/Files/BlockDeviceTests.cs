using Hosting.HostAgent.Files;

namespace Hosting.HostAgent.Tests.Files;

public class BlockDeviceTests
{
    private static readonly string[] Mounts =
    [
        "27 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw",
        "28 27 0:22 / /proc rw - proc proc rw",
        "29 27 8:17 / /var/lib rw,relatime shared:1 - xfs /dev/sdb1 rw",
        "30 29 7:3 / /var/lib/hosting rw - ext4 /dev/loop3 rw",
        "31 29 7:4 / /var/lib/hosting rw - ext4 /dev/loop4 rw",
    ];

    [Theory]
    [InlineData("/srv/agent", "8:2")]
    [InlineData("/var/library", "8:2")]
    [InlineData("/var/lib", "8:17")]
    [InlineData("/var/lib/other/agent", "8:17")]
    [InlineData("/var/lib/hosting/agent", "7:4")]
    public void A_directory_is_on_what_is_mounted_nearest_above_and_last(string directory, string number) =>
        Assert.Equal(number, BlockDevice.NumberOf(Mounts, directory));

    [Fact]
    public void A_file_system_without_a_disk_of_its_own_has_none() => Assert.Null(BlockDevice.Under("/proc"));

    [Fact]
    public void The_disk_is_a_device_file()
    {
        if (BlockDevice.Under("/") is { } disk)
            Assert.True(File.Exists(disk));
    }
}
