using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Health;
using Hosting.HostAgent.Reconcile;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Reconcile;

public sealed class ContainerReportTests
{
    private static readonly DesiredContainer Wanted = new() { Id = "web-1", App = "web", Revision = 2 };
    private static readonly HealthState Healthy = default(HealthState).After(HealthRules.From(null), null, TimeSpan.Zero);

    [Fact]
    public void What_ran_once_stays_running_while_it_is_restarted()
    {
        var exited = new Observed { Id = "web-1", Presence = Presence.Exited, HasRun = true, Port = 10_000, Reason = "exited with code 1, restart 2 in 1 s" };
        var report = ContainerReport.Of("vm-1", "10.0.0.2", Wanted, exited, default);
        Assert.Equal(ContainerState.Running, report.State);
        Assert.False(report.Healthy);
        Assert.Equal("exited with code 1, restart 2 in 1 s", report.Reason);
    }

    [Fact]
    public void One_that_ends_because_it_is_stopped_says_nothing_of_an_exit_or_a_restart()
    {
        var wanted = new DesiredContainer(Wanted) { Stop = true };
        var exited = new Observed { Id = "web-1", Presence = Presence.Exited, HasRun = true, Waiting = Work.Run, Reason = "crash loop: exited with code 0, restart 2 in 1 s" };
        var stopped = ContainerReport.Of("vm-1", "10.0.0.2", wanted, exited, default);
        Assert.Equal((ContainerState.Running, false, ""), (stopped.State, stopped.Healthy, stopped.Reason));
        var stuck = ContainerReport.Of("vm-1", "10.0.0.2", wanted, exited with { Waiting = Work.CleanUp, Reason = "it could not be removed" }, default);
        Assert.Equal("it could not be removed", stuck.Reason);
    }

    [Fact]
    public void A_healthy_container_has_an_endpoint_and_no_reason()
    {
        var running = new Observed { Id = "web-1", Presence = Presence.Running, HasRun = true, Port = 10_000, StartedAt = DateTimeOffset.UnixEpoch.AddMilliseconds(5) };
        var report = ContainerReport.Of("vm-1", "10.0.0.2", Wanted, running, Healthy);
        Assert.Equal(("10.0.0.2:10000", true, "", 5L), (report.Endpoint, report.Healthy, report.Reason, report.StartedAt));
    }

    [Fact]
    public void Nothing_is_healthy_while_its_vm_is_down()
    {
        var lost = ContainerStep.PoweredOff(new Observed { Id = "web-1", Presence = Presence.Running, HasRun = true, Port = 10_000 });
        var report = ContainerReport.Of("vm-1", null, Wanted, lost, Healthy);
        Assert.Equal((ContainerState.Running, false, "its VM is not up"), (report.State, report.Healthy, report.Reason));
    }

    [Fact]
    public void What_the_server_gave_up_has_failed_at_once_and_stays_so()
    {
        var running = new Observed { Id = "web-1", Presence = Presence.Running, HasRun = true, Port = 10_000, Failure = "stopped by its server: memory 0.98 over 0.97" };
        foreach (var observed in new[] { running, running with { Presence = Presence.Absent }, ContainerStep.PoweredOff(running) })
        {
            var report = ContainerReport.Of("vm-1", "10.0.0.2", Wanted, observed, Healthy);
            Assert.Equal((ContainerState.Failed, false, "", running.Failure), (report.State, report.Healthy, report.Endpoint, report.Reason));
        }
    }

    [Fact]
    public void A_stopped_container_stays_stopped_when_its_vm_goes_down()
    {
        var stopped = ContainerStep.PoweredOff(new Observed { Id = "web-1", Presence = Presence.Absent, HasRun = true });
        Assert.Equal(ContainerState.Stopped, ContainerReport.Of("vm-1", null, new DesiredContainer(Wanted) { Stop = true }, stopped, default).State);
    }

    [Fact]
    public void Ports_are_not_used_again_soon()
    {
        var ports = new PortAllocator(10, 13, start: 2);
        Assert.Equal(12, ports.Take());
        ports.Free(12);
        Assert.Equal([13, 10, 11, 12, 0], Enumerable.Range(0, 5).Select(_ => ports.Take()));
    }

    [Fact]
    public void A_desired_state_survives_on_disk_and_a_spoilt_file_is_none()
    {
        var directory = Directory.CreateTempSubdirectory("desired-").FullName;
        var store = new DesiredStore(directory, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        Assert.Null(store.Read());
        var desired = new DesiredVm { Vm = "vm-1", Version = 7, Containers = { Wanted } };
        store.Write(desired);
        Assert.Equal(desired, store.Read());
        File.WriteAllText(Path.Combine(directory, "desired.bin"), "\u0001spoilt");
        Assert.Null(store.Read());
        Directory.Delete(directory, recursive: true);
    }
}
