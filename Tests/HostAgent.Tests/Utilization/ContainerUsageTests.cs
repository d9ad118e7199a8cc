using System.Diagnostics;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Utilization;

/// <summary>On real control groups.</summary>
public sealed class ContainerUsageTests : IAsyncDisposable
{
    private readonly ServerGroups _groups = new(CgroupMount.OfMachine(), $"hosting-test-use-{Environment.ProcessId}", hasShare: false, NullLogger.Instance);
    private readonly RunningContainer _container = new("vm-1", "web-1", "e1", null, Leaving: false);

    public ContainerUsageTests()
    {
        _groups.Prepare(null);
        _groups.PrepareVm("vm-1", new Capacity(Environment.ProcessorCount * 1000, 256));
    }

    [Fact]
    public async Task What_a_container_uses_is_measured_and_a_cap_holds_it_to_less()
    {
        using var loop = await LoopAsync();
        using var sampler = new ContainerUsageSampler(_groups, TimeProvider.System);
        var free = await MeasureAsync(sampler);
        Assert.True(free.MemoryMiB > 0);
        Assert.Null(_groups.CapContainers(100));
        await MeasureAsync(sampler);
        // How much it gets without a cap is up to whatever else this machine does: it is in the lowest class.
        Assert.True(free.CpuMillis > 0);
        Assert.InRange((await MeasureAsync(sampler)).CpuMillis, 1, 130);
        Assert.Null(_groups.CapContainers(null));
        loop.Kill();
        await loop.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void It_is_looked_at_once_a_second_unless_it_has_to_be_now()
    {
        var time = new ManualTime();
        using var sampler = new ContainerUsageSampler(_groups, time);
        var asked = 0;
        foreach (var now in new[] { false, false, true, false })
            sampler.Sample(() => [_container with { Id = $"{++asked}" }], now);
        Assert.Equal(2, asked);
        time.Advance(1);
        Assert.Equal("3", Assert.Single(sampler.Sample(() => [_container with { Id = $"{++asked}" }])).Container.Id);
    }

    public async ValueTask DisposeAsync()
    {
        // Also after a test that failed.
        foreach (var id in _groups.Processes("vm-1"))
            HostProcess.Find(id)?.Kill();
        await _groups.RemoveVmAsync("vm-1", CancellationToken.None);
        await _groups.RemoveAsync(CancellationToken.None);
    }

    /// <summary>A process in the container's groups that takes all CPU it gets; it says when it is there.</summary>
    private async Task<Process> LoopAsync()
    {
        var groups = CgroupMount.OfMachine().Where(mount => mount.IsV2 || mount.Controllers.Overlaps(["cpu", "cpuacct", "memory"]))
            .Select(mount => new Cgroup(mount, $"{_groups.Idle}/vm-1/e1")).ToList();
        groups.ForEach(group => group.Create());
        var enter = string.Join(" && ", groups.Select(group => $"echo 0 > {group.Path}/cgroup.procs"));
        var loop = Process.Start(new ProcessStartInfo("sh", ["-c", $"{enter} && echo in && while :; do :; done"]) { RedirectStandardOutput = true })!;
        Assert.Equal("in", await loop.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        return loop;
    }

    private async Task<ContainerUsage> MeasureAsync(ContainerUsageSampler sampler)
    {
        sampler.Sample(() => [_container], now: true);
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        return Assert.Single(sampler.Sample(() => [_container], now: true));
    }
}
