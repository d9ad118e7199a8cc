using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Utilization;

public sealed class MachineMemoryTests
{
    [Fact]
    public void Pages_in_the_lists_of_processors_are_counted()
    {
        Assert.Equal(7 + 2630 + 145_000, MachineMemory.FreePages("""
            Node 0, zone    DMA32
              pages free     1000
                    managed  772918
              pagesets
                cpu: 0
                          count:    7
                          high:     2630
                cpu: 1
                          count:    2630
            Node 0, zone   Normal
                cpu: 0
                          count:    145000
                          high_max: 145408
            """u8));
    }

    [Fact]
    public void What_this_machine_uses_is_less_than_it_has_and_no_more_than_the_kernel_says()
    {
        using var memory = new MachineMemory();
        var (total, used) = memory.Read();
        var text = File.ReadAllText("/proc/meminfo");
        var available = double.Parse(text.Split("MemAvailable:")[1].Split("kB")[0], System.Globalization.CultureInfo.InvariantCulture);

        Assert.InRange(used, 1, total);
        // Others allocate meanwhile.
        Assert.InRange(used, 0, total - available + (256 * 1024));
    }

    [Fact]
    public void A_file_in_several_pieces_is_read_whole()
    {
        var path = Path.GetTempFileName();
        try
        {
            // More than one read takes, and than the buffer has room for at first.
            var content = Enumerable.Range(0, 100_000).Select(i => (byte)i).ToArray();
            File.WriteAllBytes(path, content);
            using var file = new KernelFile(path);
            Assert.Equal(content, file.ReadAll().ToArray());
            Assert.Equal(content, file.ReadAll().ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
