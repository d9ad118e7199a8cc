using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms;

/// <summary>Keeps one VM up: starts it, notices its end, starts it again with backoff; and keeps it at the size that it offers.</summary>
internal sealed class VmSupervisor(VmSettings vm, IVmDriver driver, VmReconciler reconciler, StatusBoard board, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan TidyEvery = TimeSpan.FromSeconds(30);

    /// <summary>A VM that was ended for its memory would take it again at once.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    private readonly VmSize _size = new(vm, driver, board, time, log);
    private volatile bool _rests;

    /// <summary>The VM; its capacity is the most that it offers.</summary>
    public VmSettings Vm { get; private set; } = vm;

    /// <summary>What it offers to containers now.</summary>
    public Capacity Offered => _size.Offered;

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
            var delay = _rests ? Rest : wasUp ? Backoff.BeforeRestart(failures) : Backoff.AfterFailures(failures);
            _rests = false;
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

    /// <inheritdoc cref="VmSize.OfferAsync"/>
    public Task OfferAsync(Capacity target, CancellationToken cancellation) => _size.OfferAsync(target, cancellation);

    /// <summary>
    /// Gives containers up for good (<see cref="VmReconciler.Fail"/>); those without any grace are killed without waiting for their engine. A VM that
    /// would keep their memory for seconds ends with the last of them.
    /// </summary>
    public async Task FailAsync(IReadOnlyList<RunningContainer> containers, string reason, int graceSeconds, CancellationToken cancellation)
    {
        foreach (var container in containers)
            reconciler.Fail(container.Id, reason, graceSeconds);
        if (graceSeconds > 0 || containers.Count == 0)
            return;
        if (driver.KeepsFreedMemory && FirstProcess is { } machine && reconciler.Running().All(one => containers.Any(other => other.Id == one.Id)))
        {
            log.LogWarning("VM {Vm} is ended with all of its containers, and started again in {Rest} s", Vm.Name, Rest.TotalSeconds);
            _rests = true;
            machine.Kill();
            return;
        }

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
        FirstProcess = up.FirstProcess;
        _size.Started(up.Has);
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
        FirstProcess = null;
        _size.Ended();
        reconciler.Detach();
        return end.IsCompletedSuccessfully ? await end : "its containers could not be worked on";
    }

    private void SetNotReady(string? reason)
    {
        NotReady = reason;
        board.Wake();
    }
}
