using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Health;
using Hosting.HostAgent.Vms;
using Hosting.Protocol;

namespace Hosting.HostAgent.Reconcile;

/// <summary>
/// Keeps one VM's containers as wanted. Every container is driven for itself, one step after the other, as soon as something
/// about it changes: what is wanted, an event of the engine, the end of a delay, the VM's own coming and going.
/// </summary>
internal sealed class VmReconciler(
    string vm, DesiredStore store, FailureStore failures, StatusBoard board, ImageSource images, HealthProbe probe, StartsFirst startsFirst,
    TimeProvider time, ILogger log) : IDisposable
{
    private const int Parallel = 8;
    private readonly Dictionary<string, ContainerEntry> _entries = [];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _gate = new(Parallel);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DesiredVm? _desired;
    private Attachment? _attached;

    /// <summary>The VM while it is up.</summary>
    private sealed record Attachment(RunningVm Vm, PortAllocator Ports, CancellationToken Cancellation);

    /// <summary>Name of the VM.</summary>
    public string Name => vm;

    /// <summary>Version of the desired state taken last; 0 when none was.</summary>
    public long AppliedVersion => _desired?.Version ?? 0;

    /// <summary>The VM's engine; null while the VM is not up.</summary>
    public ContainerEngine? Engine
    {
        get
        {
            lock (_lock)
                return _attached?.Vm.Engine;
        }
    }

    /// <summary>How many containers are wanted here and not given up, and their memory together in MiB.</summary>
    public (int Containers, int MemoryMiB) Promised
    {
        get
        {
            lock (_lock)
                return _entries.Values.Where(entry => entry.Observed.Failure is null).Select(entry => entry.Desired).OfType<DesiredContainer>().Aggregate((0, 0), (sum, one) => (sum.Item1 + 1, sum.Item2 + one.MemoryMib));
        }
    }

    /// <summary>Whether a container is to run here, whether it is there already or not.</summary>
    public bool Wants(string id)
    {
        lock (_lock)
            return _entries.TryGetValue(id, out var entry) && entry.Desired is { Stop: false };
    }

    /// <summary>Completes when the state of everything that ran before is known.</summary>
    public Task Settled => _settled.Task;

    /// <summary>Takes up what was wanted last and what was given up, from disk.</summary>
    public void Restore()
    {
        failures.Load();
        if (store.Read() is { } desired)
            Take(desired);
    }

    /// <summary>Takes a desired state: to disk first, then it is acted on.</summary>
    /// <param name="desired">The whole desired state of the VM.</param>
    /// <param name="firstOfStream">The first one of a stream counts whatever its version; later ones only move forward.</param>
    public void Apply(DesiredVm desired, bool firstOfStream)
    {
        if (!firstOfStream && desired.Version < AppliedVersion)
            return;
        if (!desired.Equals(_desired))
            store.Write(desired);
        Take(desired);
    }

    /// <summary>
    /// Gives a container up for good: to disk first, then it is reported as failed and stopped. It stays failed until the
    /// control plane wants it here no more.
    /// </summary>
    /// <param name="id">Its name.</param>
    /// <param name="reason">Why, for users.</param>
    /// <param name="graceSeconds">Time between SIGTERM and SIGKILL, at most.</param>
    public void Fail(string id, string reason, int graceSeconds)
    {
        ContainerEntry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out entry) || entry.Desired is null || entry.Observed.Failure is not null)
                return;
            failures.Add(id, reason);
            entry.Observed = entry.Observed with { Failure = reason, StopGraceSeconds = Math.Min(graceSeconds, entry.Observed.StopGraceSeconds) };
        }

        Publish(entry);
        Kick(entry);
    }

    /// <summary>Containers whose process runs, as far as is known.</summary>
    public IReadOnlyList<RunningContainer> Running()
    {
        lock (_lock)
            return [.. _entries.Values.Select(entry => RunningContainer.Of(vm, entry.Desired, entry.Observed)).OfType<RunningContainer>()];
    }

    /// <summary>Works on the VM while it is up, until cancelled.</summary>
    public Task RunAsync(RunningVm up, CancellationToken cancellation)
    {
        var (first, last) = up.Ports;
        var attachment = new Attachment(up, new PortAllocator(first, last, Random.Shared.Next(last - first + 1)), cancellation);
        return new EngineWatch(vm, up.Engine, time, log).RunAsync(Changed, found => Listed(found, attachment), cancellation);
    }

    /// <summary>The VM is gone: nothing runs in it.</summary>
    public void Detach()
    {
        List<ContainerEntry> all;
        lock (_lock)
        {
            _attached = null;
            all = [.. _entries.Values];
            foreach (var entry in all)
            {
                entry.Dispose();
                entry.Observed = ContainerStep.PoweredOff(entry.Observed);
            }
        }

        all.ForEach(Publish);
        GiveUpSettling();
    }

    /// <summary>Nothing will be known soon.</summary>
    public void GiveUpSettling() => _settled.TrySetResult();

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _entries.Values)
                entry.Dispose();
        }
    }

    private void Take(DesiredVm desired)
    {
        List<ContainerEntry> touched = [];
        lock (_lock)
        {
            _desired = desired;
            var wanted = desired.Containers.ToDictionary(one => one.Id);
            foreach (var entry in _entries.Values.Where(entry => entry.Desired is not null && !wanted.ContainsKey(entry.Id)))
                entry.Desired = null;
            // What the control plane does not want here any more it has heard of.
            failures.Retain(wanted.Keys.ToHashSet());
            foreach (var one in wanted.Values)
            {
                var entry = Entry(one.Id);
                entry.Desired = one;
                entry.Observed = entry.Observed with { Failure = failures.ReasonOf(one.Id) };
            }

            touched.AddRange(_entries.Values);
        }

        foreach (var entry in touched)
        {
            Publish(entry);
            Kick(entry);
        }
    }

    private void Listed(IReadOnlyList<EngineContainer> found, Attachment attachment)
    {
        foreach (var one in found)
            attachment.Ports.Keep(one.Port);
        List<ContainerEntry> open;
        lock (_lock)
        {
            open = Compare(found);
            if (_attached != attachment)
                open = [.. _entries.Values];
            _attached = attachment;
        }

        open.ForEach(Kick);
        CheckSettled();
    }

    /// <summary>What differs from what is known, or is not known yet.</summary>
    private List<ContainerEntry> Compare(IReadOnlyList<EngineContainer> found)
    {
        var presence = found.ToDictionary(one => one.Id, one => one.Presence);
        foreach (var id in presence.Keys)
            Entry(id);
        var different = _entries.Values.Where(entry => !entry.Busy && entry.Observed.Presence != Presence.Unknown
            && entry.Observed.Presence != presence.GetValueOrDefault(entry.Id, Presence.Absent)).ToList();
        foreach (var entry in different)
            entry.Observed = entry.Observed with { Stale = true };
        return [.. different.Union(_entries.Values.Where(entry => entry.Observed.Presence == Presence.Unknown))];
    }

    private void Changed(string id)
    {
        ContainerEntry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(id, out entry))
                return;
            entry.Events++;
            if (!entry.Busy)
                entry.Observed = entry.Observed with { Stale = true };
        }

        Kick(entry);
    }

    private ContainerEntry Entry(string id)
    {
        if (!_entries.TryGetValue(id, out var entry))
            _entries[id] = entry = new ContainerEntry(id);
        return entry;
    }

    private void Kick(ContainerEntry entry)
    {
        Attachment? attachment;
        lock (_lock)
        {
            attachment = _attached;
            if (entry.Busy || attachment is null || attachment.Cancellation.IsCancellationRequested)
                return;
            entry.Busy = true;
        }

        _ = DriveAsync(entry, attachment);
    }

    /// <summary>Steps one container until nothing is left to do now.</summary>
    private async Task DriveAsync(ContainerEntry entry, Attachment attachment)
    {
        while (Begin(entry, attachment) is var (operation, events) && operation.Work != Work.None)
            Finish(entry, attachment, await TryAsync(entry, operation, attachment), events);
        // The VM may have come again meanwhile, when this was still busy with the one before.
        if (attachment != _attached)
            Kick(entry);
    }

    private (Operation Operation, int Events) Begin(ContainerEntry entry, Attachment attachment)
    {
        lock (_lock)
        {
            var operation = attachment == _attached && !attachment.Cancellation.IsCancellationRequested ? Next(entry) : default;
            if (operation.Work == Work.None)
                Rest(entry, operation);
            return (operation, entry.Events);
        }
    }

    /// <summary>Before anybody said what is wanted, nothing is unwanted.</summary>
    private Operation Next(ContainerEntry entry)
    {
        var operation = ContainerStep.Next(entry.Desired, entry.Observed, time.GetUtcNow());
        return _desired is null && operation.Work != Work.Inspect ? default : operation;
    }

    private void Rest(ContainerEntry entry, Operation operation)
    {
        entry.Busy = false;
        entry.Timer?.Dispose();
        entry.Timer = null;
        if (operation.Verb == Verb.Forget)
        {
            entry.Dispose();
            _entries.Remove(entry.Id);
            board.Forget(vm, entry.Id);
        }
        else if (operation.Verb == Verb.Wait)
        {
            var due = operation.Until - time.GetUtcNow();
            entry.Timer = time.CreateTimer(_ => Kick(entry), null, due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Finish(ContainerEntry entry, Attachment attachment, Observed after, int events)
    {
        lock (_lock)
        {
            // What a VM that is gone answered last says nothing about the one that came after it.
            if (attachment != _attached)
                return;
            if (after.Port == 0 && entry.Observed.Port > 0)
                attachment.Ports.Free(entry.Observed.Port);
            // What came meanwhile counts: events, and that it was given up.
            entry.Observed = after with { Stale = after.Stale || entry.Events != events, Failure = entry.Observed.Failure };
            Check(entry, attachment);
        }

        Publish(entry);
        CheckSettled();
    }

    /// <summary>Whatever goes wrong, there is something known after it, and so a next look.</summary>
    private async Task<Observed> TryAsync(ContainerEntry entry, Operation operation, Attachment attachment)
    {
        try
        {
            return await ExecuteAsync(entry, operation, attachment);
        }
        catch (OperationCanceledException) when (attachment.Cancellation.IsCancellationRequested)
        {
            return entry.Observed with { Stale = true };
        }
        catch (Exception error)
        {
            log.LogError(error, "Container {Container} could not be worked on; it is looked at again in a moment", entry.Id);
            return ContainerStep.After(entry.Observed, operation, new EngineResult(EngineOutcome.Unreachable, error.Message), time.GetUtcNow());
        }
    }

    private async Task<Observed> ExecuteAsync(ContainerEntry entry, Operation operation, Attachment attachment)
    {
        // Stopping takes as long as the container's grace and fetching is one at a time anyway: neither holds up the others.
        var gated = operation.Verb is not (Verb.Stop or Verb.FetchImage);
        if (gated)
            await _gate.WaitAsync(attachment.Cancellation);
        try
        {
            // What a server in need gave up is stopped at once.
            if (operation.Verb == Verb.Stop && entry.Observed.Failure is null)
                await startsFirst.YieldAsync(attachment.Cancellation);
            using var start = operation.Verb is Verb.Create or Verb.Start ? startsFirst.Starting() : null;
            return await new ContainerWork(attachment.Vm.Engine, images, attachment.Ports, time)
                .ExecuteAsync(entry.Desired, entry.Observed, operation, attachment.Cancellation);
        }
        finally
        {
            if (gated)
                _gate.Release();
        }
    }

    /// <summary>Checks the health of the run under way.</summary>
    private void Check(ContainerEntry entry, Attachment attachment)
    {
        var observed = entry.Observed;
        if (!observed.IsRunning || observed.StartedAt is not { } startedAt || attachment != _attached)
        {
            entry.Health?.Dispose();
            entry.Health = null;
        }
        else if (entry.Health?.StartedAt != startedAt)
        {
            entry.Health?.Dispose();
            entry.Health = HealthWatch.Start(probe, attachment.Vm.Address, observed.Port,
                HealthRules.From(entry.Desired?.HealthCheck) with { Settle = attachment.Vm.Settle }, startedAt, time, watch => Checked(entry, watch));
        }
    }

    private void Checked(ContainerEntry entry, HealthWatch watch)
    {
        if (entry.Health is not null && entry.Health != watch)
            return;
        Publish(entry);
        CheckSettled();
    }

    /// <summary>What is not known for sure is not told: the next look is under way.</summary>
    private void Publish(ContainerEntry entry)
    {
        lock (_lock)
        {
            var unsure = _attached is not null && (entry.Observed.Stale || entry.Observed.Presence == Presence.Unknown);
            if (unsure || !_entries.ContainsKey(entry.Id))
                return;
            board.Publish(ContainerReport.Of(vm, _attached?.Vm.Address, entry.Desired, entry.Observed, entry.HealthState));
        }
    }

    private void CheckSettled()
    {
        if (_settled.Task.IsCompleted)
            return;
        lock (_lock)
        {
            if (_attached is not null && _entries.Values.All(entry => entry.IsSettled))
                _settled.TrySetResult();
        }
    }
}
