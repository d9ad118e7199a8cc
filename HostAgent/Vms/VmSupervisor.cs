using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms;

/// <summary>Keeps one VM up: starts it, notices its end, starts it again with backoff; and keeps it at the size that it offers.</summary>
internal sealed class VmSupervisor(VmSettings vm, IVmDriver driver, VmReconciler reconciler, StatusBoard board, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);

    /// <summary>After it was told, the control plane places nothing more in what is not offered any more, and what it placed before is known here.</summary>
    private static readonly TimeSpan ToldAfter = TimeSpan.FromMilliseconds(500);

    private Capacity? _has;
    private long _toldAt;
    private string? _trouble;

    /// <summary>The VM; its capacity is the most that it offers.</summary>
    public VmSettings Vm { get; private set; } = vm;

    /// <summary>What it offers to containers now.</summary>
    public Capacity Offered { get; private set; } = vm.Capacity;

    /// <summary>Whether the server will do without it: it takes nothing more, and goes once it is empty.</summary>
    public bool Leaving { get; private set; }

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
            log.LogWarning("VM {Vm} is not up: {Reason}. It is started again in {Delay} s", Vm.Name, reason, delay.TotalSeconds);
            await Task.Delay(delay, time, cancellation);
        }
    }

    /// <summary>Takes settings that need no other VM.</summary>
    public void Become(VmSettings settings)
    {
        Vm = settings;
        (var before, Leaving) = (Leaving, false);
        if (before)
            board.Wake();
    }

    /// <summary>It will go.</summary>
    public void Leave()
    {
        Leaving = true;
        board.Wake();
    }

    /// <summary>
    /// Brings it nearer to what it is to offer; called again and again. What it gives up is no longer offered first and taken from it
    /// then; what it gets it has first, and offers then.
    /// </summary>
    public async Task OfferAsync(Capacity target, CancellationToken cancellation)
    {
        if (_has is not { } has)
        {
            Tell(target);
            return;
        }

        try
        {
            if (target.Or(has) is var more && more != has)
                _has = has = await ResizeAsync(more, cancellation);
            if (target != Offered)
                Tell(target);
            else if (has != target && time.GetElapsedTime(_toldAt) >= ToldAfter)
                _has = await ResizeAsync(target, cancellation);
            _trouble = null;
        }
        catch (VmException error)
        {
            if (_trouble != error.Message)
                log.LogWarning("VM {Vm} could not be given another size; this is tried on: {Reason}", Vm.Name, error.Message);
            _trouble = error.Message;
        }
    }

    /// <summary>Gives containers up for good (<see cref="VmReconciler.Fail"/>); those without any grace are killed without waiting for their engine.</summary>
    public async Task FailAsync(IReadOnlyList<RunningContainer> containers, string reason, int graceSeconds, CancellationToken cancellation)
    {
        foreach (var container in containers)
            reconciler.Fail(container.Id, reason, graceSeconds);
        if (graceSeconds > 0 || containers.Count == 0)
            return;
        try
        {
            await driver.KillAsync([.. containers.Select(container => container.EngineId)], cancellation);
        }
        catch (VmException error)
        {
            log.LogWarning("Containers of VM {Vm} could not be ended at once, so its engine ends them: {Reason}", Vm.Name, error.Message);
        }
    }

    /// <summary>Ends it, which must not be run any more, and removes all that it has.</summary>
    /// <exception cref="VmException">Something could not be removed.</exception>
    public async Task RemoveAsync(CancellationToken cancellation)
    {
        FirstProcess = null;
        reconciler.Detach();
        SetNotReady("it is being removed");
        await driver.PurgeAsync(cancellation);
        reconciler.Dispose();
    }

    private async Task<Capacity> ResizeAsync(Capacity to, CancellationToken cancellation)
    {
        await driver.ResizeAsync(to, cancellation);
        return to;
    }

    private void Tell(Capacity offered)
    {
        if (offered == Offered)
            return;
        (Offered, _toldAt) = (offered, time.GetTimestamp());
        board.Wake();
    }

    private async Task<(string Reason, bool WasUp)> TryRunOnceAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        RunningVm up;
        try
        {
            up = await driver.StartAsync(Offered, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            reconciler.GiveUpSettling();
            return (error.Message, false);
        }

        log.LogInformation("VM {Vm} is up at {Address} ({How} in {Milliseconds:0} ms)",
            Vm.Name, up.Address, up.Adopted ? "taken over" : "started", time.GetElapsedTime(began).TotalMilliseconds);
        (FirstProcess, _has) = (up.FirstProcess, up.Has);
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
            log.LogError(error, "The reconciler of VM {Vm} failed; it starts anew", Vm.Name);
        }
        catch (OperationCanceledException)
        {
            // The VM ended, or the agent does.
        }

        cancellation.ThrowIfCancellationRequested();
        (FirstProcess, _has) = (null, null);
        reconciler.Detach();
        return end.IsCompletedSuccessfully ? await end : "its containers could not be worked on";
    }

    private void SetNotReady(string? reason)
    {
        NotReady = reason;
        board.Wake();
    }
}
