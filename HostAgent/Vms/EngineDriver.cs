using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms;

/// <summary>A VM that somebody else runs, given by its Docker endpoint: the agent owns only the containers it labelled.</summary>
internal sealed class EngineDriver(AgentSettings settings, VmSettings vm, TimeProvider time) : IVmDriver
{
    private static readonly TimeSpan ConnectDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(2);
    // Docker's own proxy hangs up within milliseconds when nobody listens in the container.
    private static readonly TimeSpan ProxySettle = TimeSpan.FromMilliseconds(50);
    private static readonly (int First, int Last) PublishedPorts = (20_000, 29_999);

    public bool KeepsFreedMemory => false;

    public async Task<RunningVm> StartAsync(Capacity offered, CancellationToken cancellation)
    {
        var engine = await ConnectAsync(cancellation);
        return new RunningVm(engine, vm.Address!, PublishedPorts, Adopted: true, token => WaitForEndAsync(engine, token)) { Settle = ProxySettle, Has = offered };
    }

    /// <summary>Its memory is not this server's.</summary>
    public Task ResizeAsync(Capacity offered, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>They have nothing of this server.</summary>
    public Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Stops our containers; the engine is not ours.</summary>
    public Task PowerOffAsync(CancellationToken cancellation) => OverAllAsync((engine, container) => engine.StopAsync(container, cancellation), cancellation);

    public Task PurgeAsync(CancellationToken cancellation) => OverAllAsync((engine, container) => engine.RemoveAsync(container.Id, cancellation), cancellation);

    public void Tidy()
    {
        // Nothing of it is on this server.
    }

    private async Task<ContainerEngine> ConnectAsync(CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(ConnectDeadline);
        try
        {
            return await ContainerEngine.ConnectAsync(vm.Endpoint!, settings.Names.Vm(vm.Name), deadline.Token);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            throw new VmException($"no container engine answers at {vm.Endpoint}: {error.Message}");
        }
    }

    private async Task<string> WaitForEndAsync(ContainerEngine engine, CancellationToken cancellation)
    {
        var missed = 0;
        while (missed < 2)
        {
            await Task.Delay(PingEvery, time, cancellation);
            missed = await engine.PingAsync(cancellation) ? 0 : missed + 1;
        }

        return $"the engine at {vm.Endpoint} stopped answering";
    }

    private async Task OverAllAsync(Func<ContainerEngine, EngineContainer, Task> act, CancellationToken cancellation)
    {
        using var engine = await ConnectAsync(cancellation);
        foreach (var container in await engine.ListAsync(cancellation))
            await act(engine, container);
    }
}
