using System.Diagnostics;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Tests.Cgroups;

public sealed class PriorityCheckTests
{
    private const string Lowest = "/hosting-x.idle/vm-1";
    private const string Engine = "/hosting-x.engines/vm-1";

    [Theory]
    [InlineData(Lowest, false, true)]
    [InlineData(Lowest + "/4711", false, true)]
    [InlineData(Lowest + "-not", false, false)]
    [InlineData(Engine, true, true)]
    [InlineData(Engine, false, false)]
    [InlineData("/", true, false)]
    public void Containers_belong_below_the_lowest_group_and_only_engines_into_theirs(string group, bool isEngine, bool right)
    {
        var fault = PriorityCheck.Outside([new ThreadGroup(1, "ok", Lowest, false), new ThreadGroup(7, "web", group, isEngine)], Lowest, Engine);
        Assert.Equal(right ? null : $"a thread of process 7 (web) is in the control group {group}, not below {Lowest}", fault);
    }

    [Fact]
    public void The_group_of_a_thread_is_that_of_the_hierarchy_with_the_cpu_controller()
    {
        Assert.Equal("/low", PriorityCheck.GroupIn(["4:memory:/a", "3:cpu,cpuacct:/low", "0::/unified"]));
        Assert.Equal("/unified", PriorityCheck.GroupIn(["0::/unified"]));
        Assert.Null(PriorityCheck.GroupIn([""]));
    }

    [Fact]
    public void Every_process_that_descends_from_a_vms_first_one_is_looked_at()
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", "sleep 60 & wait"]) { RedirectStandardOutput = true })!;
        try
        {
            var first = HostProcess.Find(shell.Id)!;
            IReadOnlyList<ThreadGroup> threads = [];
            Assert.True(SpinWait.SpinUntil(() => (threads = PriorityCheck.ThreadsOf(first)).Any(thread => thread.Name == "sleep"), TimeSpan.FromSeconds(10)));
            Assert.Equal(["sh", "sleep"], threads.Select(thread => thread.Name).Order());
            Assert.All(threads, thread => Assert.True(thread.IsEngine));
        }
        finally
        {
            shell.Kill(entireProcessTree: true);
        }
    }
}
