using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Health;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Vms;
using Hosting.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Reconcile;

/// <summary>Whatever an engine does, a container that is wanted is looked at again.</summary>
public sealed class VmReconcilerTests : IDisposable
{
    private const string Vm = "vm-1";
    private readonly string _directory = Directory.CreateTempSubdirectory("hosting-reconciler-").FullName;
    private readonly StatusBoard _board = new();
    private readonly HealthProbe _probe = new();
    private readonly VmReconciler _reconciler;

    public VmReconcilerTests()
    {
        var log = NullLogger.Instance;
        var time = new NoTicks();
        _reconciler = new VmReconciler(Vm, new DesiredStore(_directory, log), new FailureStore(_directory, log), _board,
            new ImageSource(new ImageArchives(null, log), new Dictionary<string, RegistryCredentials>()), _probe, new StartsFirst(time), time, log);
        var desired = new DesiredVm { Vm = Vm, Version = 1 };
        desired.Containers.Add(new DesiredContainer { Id = "web-1", App = "web", Revision = 1, Image = "web:1", Port = 80, MemoryMib = 32 });
        _reconciler.Apply(desired, firstOfStream: true);
    }

    [Theory]
    [InlineData(ScriptedEngine.Inspect)]
    [InlineData(ScriptedEngine.Create)]
    public async Task An_answer_that_nobody_understands_is_not_the_end(string call)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Break(call);
        using var ends = new CancellationTokenSource();
        var work = _reconciler.RunAsync(Up(engine), ends.Token);

        await HealthyAsync();

        await ends.CancelAsync();
        await work;
    }

    [Fact]
    public async Task What_the_VM_before_answers_late_is_not_taken_for_this_ones()
    {
        await using var before = await ScriptedEngine.StartAsync();
        await using var now = await ScriptedEngine.StartAsync();
        var (called, goOn) = before.Hold(ScriptedEngine.Create);
        using var ends = new CancellationTokenSource();
        var first = _reconciler.RunAsync(Up(before), ends.Token);
        await called.WaitAsync(Deadline);
        _reconciler.Detach();
        var second = _reconciler.RunAsync(Up(now), ends.Token);
        await AttachedAsync(now);

        goOn.SetResult();

        Assert.EndsWith($":{now.Port}", (await HealthyAsync()).Endpoint, StringComparison.Ordinal);
        await ends.CancelAsync();
        await Task.WhenAll(first, second);
    }

    public void Dispose()
    {
        _reconciler.Dispose();
        _probe.Dispose();
        _board.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static TimeSpan Deadline => TimeSpan.FromSeconds(30);

    private static RunningVm Up(ScriptedEngine engine) =>
        new(engine.Client, "127.0.0.1", (engine.Port, engine.Port), Adopted: false, token => Task.Delay(Timeout.Infinite, token).ContinueWith(_ => "", TaskScheduler.Default));

    private async Task AttachedAsync(ScriptedEngine engine)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (_reconciler.Engine != engine.Client)
            await Task.Delay(1, deadline.Token);
    }

    private async Task<Container> HealthyAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            if (_board.TakeAll().SingleOrDefault(one => one.Healthy) is { } healthy)
                return healthy;
            await _board.WaitAsync(Timeout.InfiniteTimeSpan, deadline.Token);
        }
    }

    /// <summary>Nothing is seen only because everything is listed now and then.</summary>
    private sealed class NoTicks : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime >= TimeSpan.FromSeconds(10) ? Timeout.InfiniteTimeSpan : dueTime, period);
    }
}
