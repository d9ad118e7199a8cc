using System.Threading.Channels;
using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Hosting.Protocol;

namespace Hosting.HostAgent.Pressure;

/// <summary>
/// Measures, when asked, whether the primary feels the VMs: in pairs of short windows, one with all containers held to nearly no CPU and
/// one with them as they are. What that means is decided by who asked.
/// </summary>
internal sealed class PrimaryCheck(
    AgentSettings settings, ServerGroups groups, Func<IReadOnlyList<VmSupervisor>> vms, ServerWatch watch, PriorityWatch priority, StatusBoard board,
    TimeProvider time)
{
    private const int Pairs = 10;
    private const int MostPairs = 20;
    private const int WindowMillis = 500;
    private const int LeastWindowMillis = 100;
    private const int MostWindowMillis = 2_000;
    /// <summary>One thousandth of a second in a tenth: what 99 of 100 wake-ups meet is not this.</summary>
    private const int HeldMillis = 10;
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);
    private readonly Channel<CheckServer> _asked = Channel.CreateBounded<CheckServer>(1);
    private readonly Channel<CheckMeasured> _answers = Channel.CreateBounded<CheckMeasured>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>Somebody asks; the answer comes later.</summary>
    public void Ask(CheckServer check)
    {
        if (!_asked.Writer.TryWrite(check))
            Answer(new CheckMeasured { Request = check.Request, Failure = "it is being checked already" });
    }

    /// <summary>An answer to be sent; null when there is none.</summary>
    public CheckMeasured? TakeAnswer() => _answers.Reader.TryRead(out var answer) ? answer : null;

    /// <summary>Measures what is asked for, one after the other, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var check in _asked.Reader.ReadAllAsync(cancellation))
        {
            var answer = Impossible() is { } failure ? new CheckMeasured { Failure = failure } : await TryMeasureAsync(check, cancellation);
            answer.Request = check.Request;
            Answer(answer);
        }
    }

    private void Answer(CheckMeasured answer)
    {
        _answers.Writer.TryWrite(answer);
        board.Wake();
    }

    private string? Impossible()
    {
        var ours = vms().Where(vm => vm.Vm.Driver != VmDriverKind.Engine).ToList();
        return ours.Count == 0
            ? "it has no VM that its agent runs, so none can be held"
            : ours.Exists(vm => vm.Reconciler.Running().Count > 0) ? null : "no container runs on it, so there is nothing to measure against";
    }

    private async Task<CheckMeasured> TryMeasureAsync(CheckServer check, CancellationToken cancellation)
    {
        try
        {
            return await MeasureAsync(check, cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new CheckMeasured { Failure = $"it could not be measured: {error.Message}" };
        }
        finally
        {
            watch.Hold(null);
        }
    }

    private async Task<CheckMeasured> MeasureAsync(CheckServer check, CancellationToken cancellation)
    {
        var pairs = check.Pairs > 0 ? Math.Min(check.Pairs, MostPairs) : Pairs;
        var length = TimeSpan.FromMilliseconds(check.WindowMillis > 0 ? Math.Clamp(check.WindowMillis, LeastWindowMillis, MostWindowMillis) : WindowMillis);
        using var primary = new PrimaryThreads(new PrimaryProcesses(settings.Primary, groups).List, time, all: true);
        using var containers = groups.Usage(groups.Idle);
        using var probe = new WakeupProbe();
        var measured = new CheckMeasured();
        for (var i = 0; i < pairs; i++)
        {
            // Every second one the other way round: a load that grows or falls all the time is no difference.
            var held = i % 2 == 0 ? await WindowAsync(hold: true) : null;
            var free = await WindowAsync(hold: false);
            measured.Pairs.Add(new CheckPair { Held = held ?? await WindowAsync(hold: true), Free = free });
        }

        measured.Unprotected = await priority.LookAsync(cancellation) ?? "";
        return measured;

        async Task<CheckWindow> WindowAsync(bool hold)
        {
            if (watch.Hold(hold ? HeldMillis : null) is { } notInForce)
                throw new IOException($"the containers can not be held: {notInForce}");
            await Task.Delay(Settle, time, cancellation);
            primary.Sample();
            probe.Take();
            var (begun, used) = (time.GetTimestamp(), containers.CpuSeconds());
            await Task.Delay(length, time, cancellation);
            var window = new CheckWindow
            {
                WakeupMillis = probe.Take(),
                ContainersCpuMillis = (int)((containers.CpuSeconds() - used) * 1000 / time.GetElapsedTime(begun).TotalSeconds),
            };
            if (primary.Sample() is { IsNoticeable: true } load)
                window.PrimaryWait = load.WaitShare;
            return window;
        }
    }
}
