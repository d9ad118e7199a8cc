using System.Diagnostics;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Tests.Utilization;

public sealed class PrimaryThreadsTests : IDisposable
{
    private const long Second = 1_000_000_000;
    private readonly string _proc = Directory.CreateTempSubdirectory("proc-").FullName;
    private readonly ManualTime _time = new();
    private readonly List<int> _processes = [1];

    [Fact]
    public void Time_run_and_time_waited_of_all_threads_make_the_share()
    {
        Set(1, 1, run: 5 * Second, wait: 7 * Second);
        Set(1, 2, run: 0, wait: 0);
        using var threads = New();
        Assert.Null(threads.Sample());
        _time.Advance(0.5);
        Set(1, 1, run: (5 * Second) + (Second / 4), wait: (7 * Second) + (Second / 4));
        Set(1, 2, run: Second / 2, wait: 0);
        var load = threads.Sample()!.Value;
        Assert.Equal((1.5, 0.5, 0.25), (load.Running, load.Waiting, load.WaitShare));
    }

    [Fact]
    public void A_primary_that_hardly_runs_does_not_wait()
    {
        Assert.Equal(0, new PrimaryLoad(0.005, 0.01).WaitShare);
        Assert.Equal(0, default(PrimaryLoad).WaitShare);
    }

    [Fact]
    public void Threads_that_come_and_go_do_no_harm()
    {
        Set(1, 1, run: 100 * Second, wait: 0);
        using var threads = New();
        threads.Sample();
        Directory.Delete($"{_proc}/1", recursive: true);
        Set(2, 9, run: 0, wait: 0);
        _processes.Add(2);
        _time.Advance(6);
        threads.Sample();
        _time.Advance(1);
        Set(2, 9, run: Second, wait: 0);
        Assert.Equal(new PrimaryLoad(1, 0), threads.Sample());
    }

    [Fact]
    public void Nobody_there_is_not_measured()
    {
        using var threads = New();
        Assert.Null(threads.Sample());
        _time.Advance(10);
        Assert.Null(threads.Sample());
    }

    [Fact]
    public void Of_many_threads_the_busy_ones_are_found_and_read_each_time()
    {
        for (var id = 1; id <= 300; id++)
            Set(1, id, 0, 0);
        using var threads = New();
        threads.Sample();
        _time.Advance(6);
        Set(1, 277, run: 3 * Second, wait: 3 * Second);
        Assert.Equal(0.5, threads.Sample()!.Value.WaitShare);
        _time.Advance(1);
        Set(1, 277, run: 3 * Second, wait: 4 * Second);
        Assert.Equal(1, threads.Sample()!.Value.WaitShare);
    }

    [Fact]
    public async Task On_this_machine_more_loops_than_cores_wait_for_each_other()
    {
        var loops = Enumerable.Range(0, Environment.ProcessorCount * 3)
            .Select(_ => Process.Start("sh", ["-c", "while :; do :; done"])).ToList();
        try
        {
            using var threads = new PrimaryThreads(() => [.. loops.Select(loop => loop.Id)], TimeProvider.System);
            threads.Sample();
            await Task.Delay(1000, TestContext.Current.CancellationToken);
            var load = threads.Sample()!.Value;
            Assert.InRange(load.WaitShare, 0.4, 1);
            Assert.InRange(load.Running, 0.05, Environment.ProcessorCount + 0.5);
        }
        finally
        {
            foreach (var loop in loops)
            {
                loop.Kill();
                loop.Dispose();
            }
        }
    }

    public void Dispose() => Directory.Delete(_proc, recursive: true);

    private PrimaryThreads New() => new(() => _processes, _time, _proc);

    private void Set(int process, int thread, long run, long wait)
    {
        var directory = Directory.CreateDirectory($"{_proc}/{process}/task/{thread}").FullName;
        File.WriteAllText($"{directory}/schedstat", $"{run} {wait} 17\n");
    }
}
