using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms;

/// <summary>Runs one VM. Every verb is idempotent.</summary>
internal interface IVmDriver
{
    /// <summary>Whether memory that comes free in the VM is the server's only seconds later.</summary>
    bool KeepsFreedMemory { get; }

    /// <summary>Takes over the VM where it runs already, else starts it, and answers once its engine does.</summary>
    /// <param name="offered">What it offers to containers.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="VmException">It did not come up; the message is the reason.</exception>
    Task<RunningVm> StartAsync(Capacity offered, CancellationToken cancellation);

    /// <summary>Gives memory of the running VM back to the server, or to the VM: it offers so much from now on.</summary>
    /// <exception cref="VmException">It could not be done; what held before holds.</exception>
    Task ResizeAsync(Capacity offered, CancellationToken cancellation);

    /// <summary>
    /// Kills containers of the running VM without its engine, which may have to wait for a disk that the containers keep busy. They may
    /// live on for a moment after this completes.
    /// </summary>
    /// <param name="engineIds">By the engine's names for them; what has ended is no error.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="VmException">It could not be done.</exception>
    Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation);

    /// <summary>Ends it and removes what it had on the machine; its data stays.</summary>
    Task PowerOffAsync(CancellationToken cancellation);

    /// <summary>Powers it off and removes its data.</summary>
    Task PurgeAsync(CancellationToken cancellation);

    /// <summary>Small regular chores, a few times a minute.</summary>
    void Tidy();
}

/// <summary>A VM whose engine answers.</summary>
/// <param name="Engine">Its container engine.</param>
/// <param name="Address">Where published ports are reached.</param>
/// <param name="Ports">Ports that may be published, first and last.</param>
/// <param name="Adopted">Whether it ran before, so its containers do too.</param>
/// <param name="WaitForEndAsync">Completes when the VM is gone, with the reason.</param>
internal sealed record RunningVm(
    ContainerEngine Engine, string Address, (int First, int Last) Ports, bool Adopted, Func<CancellationToken, Task<string>> WaitForEndAsync)
{
    /// <summary>How long a connection that was accepted at a published port has to stay open to count, where a proxy may have accepted it.</summary>
    public TimeSpan Settle { get; init; }

    /// <summary>What it has for containers; nothing where that is not known, so that it is given what it offers.</summary>
    public Capacity Has { get; init; }

    /// <summary>The process that all others of the VM on this server descend from; null where they are somebody else's.</summary>
    public HostProcess? FirstProcess { get; init; }
}
