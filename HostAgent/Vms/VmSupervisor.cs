using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;

namespace Hosting.HostAgent.Vms;

/// <summary>Keeps one VM up: starts it, notices its end, starts it again with backoff.</summary>
internal sealed class VmSupervisor(VmSettings vm, IVmDriver driver, VmReconciler reconciler, StatusBoard board, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);

    /// <summary>The VM.</summary>
    public VmSettings Vm => vm;

    /// <summary>Its containers.</summary>
    public VmReconciler Reconciler => reconciler;

    /// <summary>Why its engine does not answer; null when it does.</summary>
    public string? NotReady { get; private set; } = "it is starting";

    /// <summary>The process that all others of the VM on this server descend from; null while there is none.</summary>
    public HostProcess? FirstProcess { get; private set; }

    /// <summary>Runs until cancelled; the VM stays up then.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var tidy = time.CreateTimer(_ => driver.Tidy(), null, TidyEvery, TidyEvery);
        for (var failures = 0; !cancellation.IsCancellationRequested;)
        {
            var began = time.GetTimestamp();
            var (reason, wasUp) = await TryRunOnceAsync(cancellation);
            failures = wasUp && time.GetElapsedTime(began) >= Backoff.WellAfter ? 1 : failures + 1;
            var delay = wasUp ? Backoff.BeforeRestart(failures) : Backoff.AfterFailures(failures);
            SetNotReady(reason);
            log.LogWarning("VM {Vm} is not up: {Reason}. It is started again in {Delay} s", vm.Name, reason, delay.TotalSeconds);
            await Task.Delay(delay, time, cancellation);
        }
    }

    private async Task<(string Reason, bool WasUp)> TryRunOnceAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        RunningVm up;
        try
        {
            up = await driver.StartAsync(cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            reconciler.GiveUpSettling();
            return (error.Message, false);
        }

        log.LogInformation("VM {Vm} is up at {Address} ({How} in {Milliseconds:0} ms)",
            vm.Name, up.Address, up.Adopted ? "taken over" : "started", time.GetElapsedTime(began).TotalMilliseconds);
        FirstProcess = up.FirstProcess;
        SetNotReady(null);
        return (await StayAsync(up, cancellation), true);
    }

    private async Task<string> StayAsync(RunningVm up, CancellationToken cancellation)
    {
        using var engine = up.Engine;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var work = reconciler.RunAsync(up, ends.Token);
        var end = up.WaitForEndAsync(ends.Token);
        await Task.WhenAny(work, end);
        await ends.CancelAsync();
        try
        {
            await work;
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested && error is not OperationCanceledException)
        {
            log.LogError(error, "The reconciler of VM {Vm} failed; it starts anew", vm.Name);
        }
        catch (OperationCanceledException)
        {
            // The VM ended, or the agent does.
        }

        cancellation.ThrowIfCancellationRequested();
        FirstProcess = null;
        reconciler.Detach();
        return end.IsCompletedSuccessfully ? await end : "its containers could not be worked on";
    }

    private void SetNotReady(string? reason)
    {
        NotReady = reason;
        board.Wake();
    }
}
