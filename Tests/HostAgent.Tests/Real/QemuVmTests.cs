using System.Diagnostics;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Vms;
using Hosting.HostAgent.Vms.Qemu;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>A real VM: what only one can get wrong. What holds for every driver is tested with the nested one.</summary>
public sealed class QemuVmTests(QemuVmFixture vm, ITestOutputHelper output) : IClassFixture<QemuVmFixture>
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task A_container_answers_and_the_vm_is_replaced_when_it_is_killed_and_found_again_by_a_restarted_agent()
    {
        output.WriteLine($"first boot, save and resume: {vm.ReadyAfter.TotalSeconds:0.0} s");
        var web = Web();
        vm.Hub.Want(QemuVmFixture.Vm, web);
        var running = await RunningAsync(web);
        await AnswersAsync(running);
        NobodyElseSpeaksWithTheEngine(running.Endpoint.Split(':')[0]);
        EveryThreadIsInTheLowestClass();
        await MemoryIsGivenBackAsync();
        await AnswersAsync(running);

        vm.Hub.Forget();
        var watch = Stopwatch.StartNew();
        NestedVmFixture.Shell("kill", "-9", $"{vm.EmulatorPid()}");
        await vm.Hub.Message(one => one.Utilization?.Vms.Any(report => !report.Ready) == true, 20);
        output.WriteLine($"noticed after {watch.ElapsedMilliseconds} ms");
        vm.Hub.Forget();
        await vm.ReadyAsync();
        output.WriteLine($"resumed after {watch.ElapsedMilliseconds} ms");
        await AnswersAsync(await RunningAsync(web));
        output.WriteLine(string.Join('\n', vm.Agent.Output.Split('\n').Where(line => line.Contains("is resumed", StringComparison.Ordinal))));

        var process = vm.EmulatorPid();
        vm.Agent.Kill();
        vm.Hub.Forget();
        vm.Agent.Start();
        await vm.ReadyAsync();
        await AnswersAsync(await RunningAsync(web));
        Assert.Equal(process, vm.EmulatorPid());
        await TheVmEndsWithItsLastContainerWhenMemoryIsNearlyGoneAsync(web);
    }

    /// <summary>Its kernel would keep the memory for seconds.</summary>
    private async Task TheVmEndsWithItsLastContainerWhenMemoryIsNearlyGoneAsync(DesiredContainer web)
    {
        var emulator = HostProcess.Find(vm.EmulatorPid())!;
        await vm.Agent.StopAsync();
        vm.Hub.Forget();
        vm.Agent.Configure(vm.Configuration(lastResortMemory: 0.001));
        vm.Agent.Start();
        var failed = await vm.Hub.Container(web.Id, one => one.State == ContainerState.Failed, QemuVmFixture.Patience);
        Assert.StartsWith("stopped by its server: memory", failed.Reason, StringComparison.Ordinal);
        await emulator.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>The server comes close to its threshold: the VM offers less first, then its balloon takes the memory from it.</summary>
    private async Task MemoryIsGivenBackAsync()
    {
        Assert.Equal(QemuVmFixture.MemoryMiB, await OfferedAsync(_ => true));
        var memory = (await vm.Hub.Message(one => one.Utilization is not null)).Utilization.Memory;
        vm.Hub.Govern(new Policy { Admit = 1, Evict = memory, EvictAfterSeconds = 60 });
        Assert.InRange(await OfferedAsync(offered => offered < QemuVmFixture.MemoryMiB), 64, QemuVmFixture.MemoryMiB - 1);
        var offered = await OfferedAsync(_ => true);
        var watch = Stopwatch.StartNew();
        while (await BalloonedAsync() > offered + QemuDriver.GuestMiB)
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), "the VM's kernel gives nothing");
        output.WriteLine($"ballooned to {offered} MiB {watch.ElapsedMilliseconds} ms after it was told");
        vm.Hub.Govern(new Policy { Admit = 1, Evict = 1, EvictAfterSeconds = 60 });
    }

    private async Task<int> OfferedAsync(Func<int, bool> condition)
    {
        vm.Hub.Forget();
        return (await vm.Hub.Message(one => one.Utilization?.Vms.Any(report => condition(report.MemoryMib)) == true)).Utilization.Vms[0].MemoryMib;
    }

    private async Task<long> BalloonedAsync()
    {
        await Task.Delay(100);
        using var qmp = await QmpClient.ConnectAsync($"/run/hosting/{vm.Names.Vm(QemuVmFixture.Vm)}/qmp.sock", TestContext.Current.CancellationToken);
        return (await qmp.ExecuteAsync("query-balloon", null, TestContext.Current.CancellationToken)).GetProperty("actual").GetInt64() / (1024 * 1024);
    }

    private static DesiredContainer Web() => new()
    {
        Id = "web-1", App = "web", Revision = 1, Image = NestedVmFixture.Image, Port = 8080, CpuMillis = 100, MemoryMib = 32,
        HealthCheck = new HealthCheck { Path = "/", IntervalSeconds = 5, TimeoutSeconds = 5, HealthyAfter = 1, UnhealthyAfter = 5, GracePeriodSeconds = 60 },
        StopGraceSeconds = 1,
    };

    private Task<Container> RunningAsync(DesiredContainer wanted) =>
        vm.WithLogsAsync(vm.Hub.Container(wanted.Id, one => one is { State: ContainerState.Running, Healthy: true }, QemuVmFixture.Patience));

    private static async Task AnswersAsync(Container container) =>
        Assert.Equal("hello\n", await Http.GetStringAsync($"http://{container.Endpoint}/", TestContext.Current.CancellationToken));

    /// <summary>Its port is open to this machine, and of no use to who has not the agent's certificate.</summary>
    private static void NobodyElseSpeaksWithTheEngine(string address)
    {
        using var curl = Process.Start("curl", ["-sk", "-m", "20", $"https://{address}:2376/version"]);
        curl.WaitForExit();
        Assert.NotEqual(0, curl.ExitCode);
    }

    private void EveryThreadIsInTheLowestClass()
    {
        var threads = PriorityCheck.ThreadsOf(HostProcess.Find(vm.EmulatorPid())!);
        Assert.True(threads.Count > 2);
        Assert.Null(PriorityCheck.Outside(threads, $"/{vm.Names.Group}/idle/{QemuVmFixture.Vm}", "/none"));
        Assert.Contains("1700000", File.ReadAllText($"/proc/{vm.EmulatorPid()}/status"));
    }
}
