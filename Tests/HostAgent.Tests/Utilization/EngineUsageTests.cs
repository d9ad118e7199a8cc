using Docker.DotNet.Models;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Utilization;

public class EngineUsageTests
{
    private static readonly RunningContainer Shop = new("vm-1", "shop-1", "e1", null, Leaving: false);
    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_container_is_measured_between_two_readings()
    {
        EngineReading? next = new EngineReading(10, 5_000_000);
        var usage = new EngineUsage(() => [Shop], (_, _) => Task.FromResult(next), _time);
        await usage.LookAsync(CancellationToken.None);
        Assert.Empty(usage.Latest);
        _time.Advance(5);
        next = new EngineReading(11, 3_000_000);
        await usage.LookAsync(CancellationToken.None);
        Assert.Equal([new ContainerUsage(Shop, 200, 3)], usage.Latest);
        next = null;
        await usage.LookAsync(CancellationToken.None);
        Assert.Empty(usage.Latest);
    }

    [Theory]
    [InlineData("total_inactive_file")]
    [InlineData("inactive_file")]
    public void Memory_that_the_kernel_can_drop_is_not_in_use(string name)
    {
        var reading = EngineReading.Of(new ContainerStatsResponse
        {
            CPUStats = new CPUStats { CPUUsage = new CPUUsage { TotalUsage = 1_500_000_000 } },
            MemoryStats = new MemoryStats { Usage = 1000, Stats = new Dictionary<string, ulong> { [name] = 400 } },
        });
        Assert.Equal(new EngineReading(1.5, 600), reading);
    }
}
