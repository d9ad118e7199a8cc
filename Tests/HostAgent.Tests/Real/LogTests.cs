using System.Diagnostics;
using Hosting.Protocol;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>Logs of real containers on a real nested engine, as the control plane asks for them.</summary>
public sealed class LogTests(NestedVmFixture vm, ITestOutputHelper output) : IClassFixture<NestedVmFixture>
{
    [Fact]
    public async Task Lines_of_both_streams_are_told_in_order_with_a_tail_and_from_a_place()
    {
        var talker = await RunAsync("i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; sleep 0.5; echo oops >&2; sleep 600");
        // The engine reads the two streams apart: only what is written well after the other is told after it.
        var lines = await UntilAsync(talker, line => line.Text == "oops");
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"line {i}"), lines.Where(line => !line.Error).Select(line => line.Text));
        Assert.True(lines.Single(line => line.Text == "oops").Error);

        var (tail, next) = await ToTheEndAsync(Read(talker, tail: 5));
        Assert.Equal(lines.TakeLast(5), tail);
        Assert.Equal(LogState.End, (await vm.Hub.ReadLogs(Read(talker, from: next))).State);
        var none = await vm.Hub.ReadLogs(Read(talker, tail: 0));
        Assert.Equal((LogState.End, next), (none.State, none.Next));
        var rest = new List<LogLine>();
        await FollowAsync(Read(talker, from: lines[9].Position, follow: true), rest, () => rest.Count >= lines.Count - 10);
        Assert.Equal(lines.Skip(10), rest);
    }

    [Fact]
    public async Task Followed_lines_come_as_they_are_written_and_go_on_over_a_restart_of_the_container()
    {
        var talker = await RunAsync("echo born; while [ ! -e /tmp/end ]; do sleep 0.1; done; rm /tmp/end; echo dying");
        var reader = Read(talker, follow: true);
        var told = new List<LogLine>();
        await FollowAsync(reader, told, () => told.Count >= 1);
        vm.Docker($"exec {talker} sh -c >/tmp/end");
        await FollowAsync(reader, told, () => told.Count >= 3);
        Assert.Equal(["born", "dying", "born"], told.Select(line => line.Text));
        Assert.Equal(told.Select(line => (line.Position.At, line.Position.Count)).Order(), told.Select(line => (line.Position.At, line.Position.Count)));
    }

    [Fact]
    public async Task A_flood_arrives_whole_and_paced_and_holds_up_neither_reports_nor_takes_memory()
    {
        var flood = await RunAsync("i=0; while [ $i -lt 60000 ]; do echo line $i ----------------------------------------------------------; i=$((i+1)); done; sleep 600", cpuMillis: 1000);
        vm.Hub.Forget();
        var before = Resident();
        var watch = Stopwatch.StartNew();
        var reader = Read(flood, follow: true);
        var told = new List<LogLine>();
        await FollowAsync(reader, told, () => told.Count >= 60_000);
        var seconds = watch.Elapsed.TotalSeconds;
        output.WriteLine($"{told.Count} lines in {seconds:0.0} s, resident {before / 1024} -> {Resident() / 1024} MiB");
        watch.Restart();
        var again = Read(flood);
        var count = 0;
        while (await vm.Hub.ReadLogs(again) is { State: LogState.Open } chunk)
        {
            count += chunk.Lines.Count;
            again.From = chunk.Next;
        }
        output.WriteLine($"again {count} lines in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal(60_000, count);
        Assert.True(watch.Elapsed > TimeSpan.FromSeconds(1), "the pace is 2 MiB a second");
        Assert.Equal(60_000, told.Count);
        for (var i = 0; i < told.Count; i++)
            Assert.StartsWith($"line {i} ", told[i].Text);
        Assert.True(Resident() - before < 60 * 1024, $"{before} -> {Resident()} KiB");
        var reports = vm.Hub.Heard.Where(message => message.Utilization is not null).Select(message => message.Utilization.SampledAt).ToList();
        Assert.True(reports.Zip(reports.Skip(1), (one, next) => next - one).Append(0).Max() < 1_500, string.Join(' ', reports));
        Assert.True(reports.Count >= seconds, $"{reports.Count} reports in {seconds:0.0} s");
    }

    [Fact]
    public async Task What_is_not_there_is_said()
    {
        Assert.Equal(LogState.Gone, (await vm.Hub.ReadLogs(Read("no-such"))).State);
        var noVm = Read("no-such");
        noVm.Vm = "vm-9";
        Assert.Equal((LogState.Refused, "this server has no VM vm-9"), await StateAsync(noVm));
        var missing = vm.Web("missing");
        missing.Image = "127.0.0.1:9/no/such:1";
        vm.Hub.Want(NestedVmFixture.Vm, missing);
        await vm.Hub.Container(missing.Id, one => one.Reason.Contains("cannot be had", StringComparison.Ordinal));
        Assert.Equal(LogState.NotYet, (await vm.Hub.ReadLogs(Read(missing.Id))).State);

        async Task<(LogState, string)> StateAsync(ReadLogs read) => await vm.Hub.ReadLogs(read) is var answer ? (answer.State, answer.Reason) : default;
    }

    [Fact]
    public async Task Readers_beyond_the_limit_are_refused_until_others_end()
    {
        var talker = await RunAsync("echo one; sleep 600");
        await UntilAsync(talker, line => line.Text == "one");
        var readers = new List<ReadLogs>();
        LogLines answer;
        do
        {
            readers.Add(Read(talker, follow: true));
            answer = await vm.Hub.ReadLogs(readers[^1]);
        }
        while (answer.State == LogState.Open && readers.Count < 100);
        // Readers of other tests may still be open.
        Assert.InRange(readers.Count, 16, 33);
        Assert.Equal((LogState.Refused, "32 logs of this server are being read already"), (answer.State, answer.Reason));
        vm.Hub.CloseLogs(readers[0].Reader);
        Assert.Equal("one", Assert.Single((await vm.Hub.ReadLogs(readers[^1])).Lines).Text);
        readers.ForEach(reader => vm.Hub.CloseLogs(reader.Reader));
    }

    [Fact]
    public async Task A_crash_loop_says_so_with_code_restarts_and_what_was_written_last()
    {
        var crash = vm.Web("crash");
        crash.Command.Add("/bin/sh");
        crash.Args.AddRange(["-c", "echo starting; echo no database >&2; exit 3"]);
        vm.Hub.Want(NestedVmFixture.Vm, crash);
        var looping = await vm.Hub.Container(crash.Id, one => one.Reason.StartsWith("crash loop", StringComparison.Ordinal));
        Assert.StartsWith("crash loop: exited with code 3, restart ", looping.Reason);
        Assert.Contains("; last lines: ", looping.Reason);
        Assert.Contains("no database", looping.Reason);
    }

    private static ReadLogs Read(string container, LogPosition? from = null, int? tail = null, bool follow = false)
    {
        var read = new ReadLogs
        {
            Reader = Guid.NewGuid().ToString(), Vm = NestedVmFixture.Vm, Container = container, From = from ?? new LogPosition(), Follow = follow, WaitMillis = 1_000,
        };
        if (tail is { } newest)
            read.Tail = newest;
        return read;
    }

    /// <summary>All that one reader is told: an answer may carry a part.</summary>
    private async Task<(List<LogLine> Lines, LogPosition Next)> ToTheEndAsync(ReadLogs read)
    {
        var lines = new List<LogLine>();
        LogLines answer;
        do
        {
            answer = await vm.Hub.ReadLogs(read);
            lines.AddRange(answer.Lines);
            read.From = answer.Next;
            read.ClearTail();
        }
        while (answer.State == LogState.Open);
        return (lines, answer.Next);
    }

    private async Task<string> RunAsync(string script, int cpuMillis = 100)
    {
        var talker = vm.Web("talker");
        talker.CpuMillis = cpuMillis;
        talker.Command.Add("/bin/sh");
        talker.Args.AddRange(["-c", script]);
        talker.HealthCheck = new HealthCheck { GracePeriodSeconds = 600, IntervalSeconds = 60, TimeoutSeconds = 1, HealthyAfter = 1, UnhealthyAfter = 3 };
        vm.Hub.Want(NestedVmFixture.Vm, talker);
        await vm.Hub.Container(talker.Id, one => one.State == ContainerState.Running);
        return talker.Id;
    }

    /// <summary>Reads on until a condition holds; half a minute without a line is too long, since its writer may be slow but does not rest.</summary>
    private async Task FollowAsync(ReadLogs reader, List<LogLine> told, Func<bool> enough)
    {
        var watch = Stopwatch.StartNew();
        while (!enough())
        {
            var answer = await vm.Hub.ReadLogs(reader);
            Assert.True(answer.State == LogState.Open, $"{answer.State} {answer.Reason}");
            told.AddRange(answer.Lines);
            reader.From = answer.Next;
            if (answer.Lines.Count > 0)
                watch.Restart();
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"{told.Count} lines, and none for 30 s");
        }
    }

    private async Task<List<LogLine>> UntilAsync(string container, Func<LogLine, bool> last)
    {
        var lines = new List<LogLine>();
        await FollowAsync(Read(container, follow: true), lines, () => lines.Any(last));
        return lines;
    }

    private int Resident() => int.Parse(File.ReadLines($"/proc/{vm.Agent.Id}/status")
        .First(line => line.StartsWith("VmRSS", StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
}
