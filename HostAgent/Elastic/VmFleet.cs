using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Elastic;

/// <summary>
/// The server's VMs: as many as its configuration wants, and those that it wants no more until they are empty. A VM to which a
/// change cannot be made while it runs goes in the same way, and comes back changed.
/// </summary>
internal sealed class VmFleet(
    Func<VmSettings, VmSupervisor> make, KeptSettings kept, ControlPlane control, StatusBoard board, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RemoveDeadline = TimeSpan.FromSeconds(60);
    private volatile IReadOnlyList<Member> _members = [];
    private volatile IReadOnlyList<VmSettings> _wanted = [];
    private string? _lastTrouble;

    /// <summary>All of them, those that leave too.</summary>
    public IReadOnlyList<VmSupervisor> Vms => [.. _members.Select(member => member.Vm)];

    /// <summary>Changes whenever a VM came or went: the control plane has to hear of it by a hello.</summary>
    public int Version { get; private set; }

    /// <summary>A VM by its name; null when there is none.</summary>
    public VmSupervisor? Find(string vm) => _members.FirstOrDefault(member => member.Vm.Vm.Name == vm)?.Vm;

    /// <summary>Takes up what an earlier agent left, and what is wanted.</summary>
    public void Open(IReadOnlyList<VmSettings> wanted)
    {
        foreach (var vm in kept.Read())
            Add(FleetPlan.Next(vm, wanted) ?? vm);
        Want(wanted);
        Come();
    }

    /// <summary>What the server is to have from now on.</summary>
    public void Want(IReadOnlyList<VmSettings> wanted) => _wanted = wanted;

    /// <summary>Runs the VMs until cancelled; they stay up then.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                foreach (var member in _members.Where(member => member.Running is null && !member.IsEnded))
                    member.Running = member.Vm.RunAsync(member.Ends.Token);
                await (_members.FirstOrDefault(member => member.Running is { IsFaulted: true })?.Running ?? Task.CompletedTask);
                await LookAsync(cancellation);
                await Task.Delay(LookEvery, time, cancellation);
            }
        }
        finally
        {
            await Task.WhenAll(_members.Select(EndAsync));
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        foreach (var member in _members)
            Decide(member);
        foreach (var member in _members.Where(IsDue))
            await TryRemoveAsync(member, cancellation);
        Come();
    }

    private void Decide(Member member)
    {
        var (vm, now) = (member.Vm, time.GetTimestamp());
        if (member.IsEnded)
            return;
        if (FleetPlan.Next(vm.Vm, _wanted) is not { } next)
        {
            Leave(member, now);
            return;
        }

        if (member.LeavingSince is not null)
            log.LogInformation("VM {Vm} stays after all", vm.Vm.Name);
        member.LeavingSince = null;
        if (next == vm.Vm && !vm.Leaving)
            return;
        kept.Write(next);
        vm.Become(next);
    }

    /// <summary>Time without a control plane does not count: nobody could move its containers.</summary>
    private void Leave(Member member, long now)
    {
        if (member.LeavingSince is null)
        {
            (member.LeavingSince, member.MovableFor) = (now, TimeSpan.Zero);
            member.Vm.Leave();
            log.LogInformation("VM {Vm} is to go: its {Count} containers go elsewhere first, for which there are {Minutes} min",
                member.Vm.Vm.Name, member.Vm.Reconciler.Promised.Containers, FleetPlan.EmptiedWithin.TotalMinutes);
        }
        else if (!control.IsAway)
        {
            member.MovableFor += LookEvery;
        }
    }

    private bool IsDue(Member member) => member.IsEnded || member.LeavingSince is { } since
        && FleetPlan.IsDue(time.GetElapsedTime(since), member.MovableFor, member.Vm.Reconciler.Promised.Containers);

    /// <summary>What cannot be removed now is tried again at the next look.</summary>
    private async Task TryRemoveAsync(Member member, CancellationToken cancellation)
    {
        var name = member.Vm.Vm.Name;
        await EndAsync(member);
        try
        {
            await RemoveAsync(member.Vm, member.LeavingSince, cancellation);
            kept.Remove(name);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            if (error.Message != _lastTrouble)
                log.LogWarning("VM {Vm} could not be removed; this is tried on: {Reason}", name, error.Message);
            _lastTrouble = error.Message;
            return;
        }

        board.Forget(name);
        _members = [.. _members.Where(other => other != member)];
        Changed();
        log.LogInformation("VM {Vm} is removed", name);
    }

    private async Task RemoveAsync(VmSupervisor vm, long? leavingSince, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(RemoveDeadline, cancellation);
        try
        {
            await vm.RemoveAsync(deadline.Token);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested && leavingSince is { } since && FleetPlan.IsGivenUp(vm.Vm, time.GetElapsedTime(since)))
        {
            log.LogWarning("VM {Vm} is dropped without its engine, which does not answer ({Reason}). If it comes back, remove its containers there", vm.Vm.Name, error.Message);
        }
    }

    private void Come()
    {
        foreach (var vm in FleetPlan.Missing(_members.Select(member => member.Vm.Vm.Name), _wanted))
            Add(vm);
    }

    private void Add(VmSettings vm)
    {
        kept.Write(vm);
        _members = [.. _members, new Member(make(vm))];
        Changed();
    }

    private void Changed()
    {
        Version++;
        board.Wake();
    }

    private static async Task EndAsync(Member member)
    {
        await member.Ends.CancelAsync();
        try
        {
            await (member.Running ?? Task.CompletedTask);
        }
        catch (OperationCanceledException)
        {
            // As it was told.
        }
    }

    /// <summary>A VM, and whether it runs and leaves.</summary>
    private sealed class Member(VmSupervisor vm)
    {
        public VmSupervisor Vm => vm;

        public CancellationTokenSource Ends { get; } = new();

        public bool IsEnded => Ends.IsCancellationRequested;

        public Task? Running { get; set; }

        public long? LeavingSince { get; set; }

        public TimeSpan MovableFor { get; set; }
    }
}
