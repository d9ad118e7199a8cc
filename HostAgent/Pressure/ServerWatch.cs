using Hosting.HostAgent.Cgroups;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Hub;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;

namespace Hosting.HostAgent.Pressure;

/// <summary>
/// Measures the server twice a second, with or without a control plane, and does what cannot wait for one: narrows what the
/// containers may use of the CPU, and stops some when memory is nearly gone.
/// </summary>
internal sealed class ServerWatch(
    AgentSettings settings, ServerGroups groups, ServerSampler sampler, EngineUsage others, Func<IReadOnlyList<VmSupervisor>> vms, ControlPlane hub,
    PriorityWatch priority, StatusBoard board, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private readonly HeldBack _heldBack = new();
    private readonly Lock _cap = new();
    private int? _heldTo;
    private QuotaController _quota;
    private LastResort _lastResort;
    private string? _lastTrouble;

    /// <summary>The last measurement; null before the first.</summary>
    public Measurement? Latest { get; private set; }

    /// <summary>
    /// For a moment all containers together get no more than so much of the CPU, in thousandths of a core; null ends that. Answers what is
    /// not in force.
    /// </summary>
    public string? Hold(int? cpuMillis)
    {
        lock (_cap)
        {
            if (_heldTo == cpuMillis)
                return null;
            _heldTo = cpuMillis;
            return groups.CapContainers(CapMillis);
        }
    }

    /// <summary>What all containers together may use now, in thousandths of a core; null without a cap.</summary>
    private int? CapMillis => _heldTo is { } held ? Math.Min(held, _quota.CapMillis ?? held) : _quota.CapMillis;

    /// <summary>Watches until cancelled, and lifts the cap then: nobody else would.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
                await LookAsync(cancellation);
            while (await timer.WaitForNextTickAsync(cancellation));
        }
        finally
        {
            lock (_cap)
            {
                _quota = default;
                groups.CapContainers(null);
            }
        }
    }

    /// <summary>Whatever goes wrong is tried again in a moment; that the server is reported matters more.</summary>
    private async Task LookAsync(CancellationToken cancellation)
    {
        try
        {
            var measured = sampler.Sample();
            // What runs under a kernel of its own is told as its engine says.
            Latest = measured with
            {
                Hold = _heldBack.Next(measured, CapMillis, settings.Capacity, [.. vms().Select(vm => vm.Vm)]),
                Containers = [.. measured.Containers, .. others.Latest],
                Unprotected = priority.Fault,
            };
            board.Wake();
            Throttle(measured);
            await RelieveAsync(measured, cancellation);
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            if (error.Message != _lastTrouble)
                log.LogError(error, "The server could not be looked after; this is tried on");
            _lastTrouble = error.Message;
        }
    }

    private void Throttle(Measurement measured)
    {
        var used = measured.Server.ContainersCpuMillis;
        var input = new QuotaInput(measured.Server.Cpu, hub.Evict, measured.PrimaryWait, used, settings.Capacity.CpuMillis);
        var before = _quota.CapMillis;
        if (Quota(input, measured.At) is { } notInForce)
            log.LogWarning("The containers' CPU quota is not in force, so they may disturb the primary: {Setting}", notInForce);
        // Steps in between are no news.
        if (before is null && _quota.CapMillis is not null)
            log.LogInformation("Containers are held to {Cap} m CPU, step by step: {Reason}", _quota.CapMillis, QuotaController.Pressure(input));
        else if (before is not null && _quota.CapMillis is null)
            log.LogInformation("Containers may use the server's whole idle CPU again");
    }

    /// <summary>Takes the next step. Answers what is not in force; null when all is.</summary>
    private string? Quota(QuotaInput input, DateTimeOffset now)
    {
        lock (_cap)
        {
            var before = _quota.CapMillis;
            _quota = _quota.Next(input, now);
            return _quota.CapMillis == before ? null : groups.CapContainers(CapMillis);
        }
    }

    /// <summary>Containers whose memory is this server's; who is not measured yet counts with what it may use.</summary>
    private IEnumerable<ContainerUsage> Stoppable()
    {
        var measured = sampler.Containers().Concat(others.Latest).ToLookup(one => one.Container.EngineId);
        return vms().Where(vm => vm.Vm.Driver != VmDriverKind.Engine).SelectMany(vm => vm.Reconciler.Running())
            .Select(one => measured[one.EngineId].FirstOrDefault() ?? new ContainerUsage(one, 0, one.PromisedMiB))
            .Where(one => one is { Container.Leaving: false, MemoryMiB: > 0 });
    }

    private async Task RelieveAsync(Measurement measured, CancellationToken cancellation)
    {
        var plight = new Plight(measured.Server.Memory, settings.LastResortMemory, hub.Evict, hub.EvictAfter, hub.IsAway);
        (_lastResort, var verdict) = _lastResort.Next(plight, measured.At);
        if (verdict is null)
            return;
        var needed = (int)Math.Ceiling((plight.Memory - verdict.Target) * settings.Capacity.MemoryMiB);
        var candidates = Stoppable().ToList();
        var chosen = LastResort.Choose(candidates, needed);
        foreach (var one in chosen)
            log.LogWarning("Container {Container} ({Memory} MiB) is {Reason}", one.Container.Id, one.MemoryMiB, verdict.Reason);
        await Task.WhenAll(vms().Select(vm => vm.FailAsync(
            [.. chosen.Select(one => one.Container).Where(one => one.Vm == vm.Vm.Name)], verdict.Reason, verdict.GraceSeconds, cancellation)));

        if (chosen.Sum(one => one.MemoryMiB) < needed)
            log.LogWarning("This server needs {Needed} MiB back, and its containers have no more to give: {Reason}", needed, verdict.Reason);
    }
}
