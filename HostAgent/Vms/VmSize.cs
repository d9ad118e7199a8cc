using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Vms;

/// <summary>What a VM offers to containers and what it has for them, which follows.</summary>
internal sealed class VmSize(VmSettings vm, IVmDriver driver, StatusBoard board, TimeProvider time, ILogger log)
{
    /// <summary>After it was told, the control plane places nothing more in what is not offered any more, and what it placed before is known here.</summary>
    private static readonly TimeSpan ToldAfter = TimeSpan.FromMilliseconds(500);

    private Capacity? _has;
    private long _toldAt;
    private string? _trouble;

    /// <summary>What it offers to containers now.</summary>
    public Capacity Offered { get; private set; } = vm.Capacity;

    /// <summary>It is up.</summary>
    /// <param name="has">What it has; nothing where that is not known.</param>
    public void Started(Capacity has) => _has = has;

    /// <summary>It is not up any more.</summary>
    public void Ended() => _has = null;

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
                log.LogWarning("VM {Vm} could not be given another size; this is tried on: {Reason}", vm.Name, error.Message);
            _trouble = error.Message;
        }
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
}
