using Hosting.Grains.Placement;
using Hosting.Grains.Regions;
using Hosting.Grains.Storage;
using Hosting.Placement;
using Hosting.Regions;
using Hosting.Servers;
using Hosting.Vms;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Servers;

[RegionPinned, GrainType("server")]
internal sealed partial class ServerGrain(
    PoolStore pool, EventLog events, ReportForwarder reports, RegionPolicies policies, TimeProvider clock, ILogger<ServerGrain> log)
    : Grain, IServerGrain
{
    // What an agent took of the desired state is compared at every change and every so many reports.
    private const int CompareEvery = 4;
    // About every 5 s: an agent that hears nothing for three times as long counts itself as on its own.
    private const int GovernEvery = 10;

    // Making a reference costs more than a call, and reports come all the time.
    private readonly Dictionary<string, IVmGrain> _vms = new(StringComparer.Ordinal);
    private readonly LogRequests _logs = new(clock);
    private AgentSession? _session;
    private ServerRecord? _record;
    private IReadOnlyList<VmRecord> _vmRecords = [];
    private int _reports;
    private bool _greeting;
    private int _taking;

    private string Region { get; set; } = "";
    private string Name { get; set; } = "";
    private IPlacementGrain Placement => GrainFactory.GetGrain<IPlacementGrain>(Region);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = this.GetPrimaryKeyString().Split('/');
        (Region, Name) = (key[0], key[1]);
        _record = await pool.GetServer(Region, Name, cancellationToken);
        _vmRecords = await pool.GetVms(Region, Name, cancellationToken);
        StartWatch();
    }

    public async Task<string?> Connect(AgentHello hello, IAgentLink link)
    {
        if (_session is { } current && current.Id >= hello.Session)
            return $"a newer session of {Region}/{Name} is connected; is a second agent running with this server's name?";
        _session?.Link.Close("a newer session took over").Ignore();
        _session = null;
        _logs.GiveUp();
        EndCheck("its agent connected anew meanwhile");
        _greeting = true;
        try
        {
            await Greet(hello, link);
        }
        finally
        {
            _greeting = false;
            LookSoon();
        }
        LookAgain();
        Govern().Ignore();
        Log("connected", $"server {Name} is connected with {hello.Vms.Count} VMs and {hello.Containers.Count} containers");
        return null;
    }

    private async Task Greet(AgentHello hello, IAgentLink link)
    {
        _loss.Offer(hello.Vms, clock.GetUtcNow());
        _record = await pool.UpsertServer(hello.Server, hello.Vms, CancellationToken.None);
        _vmRecords = WithPolicy(hello.Vms, await pool.GetVms(Region, Name, CancellationToken.None));
        await Placement.Join(_record, Offered(hello.Vms));
        await Task.WhenAll(hello.Vms.Select(vm => Vm(vm.Name).Attach(link, hello.Containers)));
        _session = new AgentSession(hello.Session, link, hello.Vms);
        // However long all this took, such as while another silo's grains are taken over: it was not the agent that was silent.
        _loss.Hear([], clock.GetUtcNow());
    }

    public async Task Disconnect(long session)
    {
        if (_session?.Id != session)
            return;
        var vms = _session.Vms;
        _session = null;
        _logs.GiveUp();
        EndCheck("its agent went away meanwhile");
        await Placement.Leave(Name, "its agent is not connected");
        await Task.WhenAll(vms.Select(vm => Vm(vm.Name).Detach()));
        Log("disconnected", $"the agent of server {Name} is gone; its containers go on, new ones go elsewhere");
    }

    public async Task<bool> Report(long session, UtilizationReport report)
    {
        // A look may end the session while this waits.
        if (_session is not { } current || current.Id != session)
            return false;
        await Take(() => Measure(current, report));
        Hear(report);
        if (++_reports % GovernEvery == 0)
            Govern().Ignore();
        return true;
    }

    private async Task Measure(AgentSession current, UtilizationReport report)
    {
        if (!await reports.Forward(Region, new ServerReport(Name, report)))
            await Placement.Join(_record!, Offered(current.Vms));
        foreach (var vm in report.Vms)
        {
            var compare = _reports % CompareEvery == 0 || current.Applied.GetValueOrDefault(vm.Vm) != vm.AppliedVersion;
            // The grain of a VM may have moved without its server's: only this one knows the way to the agent then.
            if (compare && !await Vm(vm.Vm).Applied(vm.AppliedVersion))
                await Vm(vm.Vm).Attach(current.Link, []);
            current.Applied[vm.Vm] = vm.AppliedVersion;
        }
        await TakeVms(report.Vms);
    }

    /// <summary>
    /// Works on what the agent said. Its next word is not taken before that is done, so however long it takes, and whether it
    /// succeeds: the agent is not silent. A silo with too much to do would give its servers up otherwise, which makes more to do.
    /// </summary>
    private async Task Take(Func<Task> work)
    {
        _taking++;
        try
        {
            await work();
        }
        finally
        {
            _taking--;
            if (_loss.Hear([], clock.GetUtcNow()))
                LookSoon();
        }
    }

    /// <summary>
    /// What its VMs offer follows what the server can spare, and one may be leaving. The matching has it from the same report; here it is
    /// kept for when the matching moves, and for who has to leave. A write that fails is tried again with the next report.
    /// </summary>
    private async Task TakeVms(IReadOnlyList<VmReport> reports)
    {
        var said = reports.ToDictionary(r => r.Vm, StringComparer.Ordinal);
        VmRecord[] changed = [.. _vmRecords.Where(vm => said.TryGetValue(vm.Name, out var report) && !vm.IsAs(report)).Select(vm => vm.As(said[vm.Name]))];
        if (changed.Length == 0)
            return;
        try
        {
            await pool.ResizeVms(Region, Name, changed, CancellationToken.None);
        }
        catch (Exception failure)
        {
            log.LogDebug("What VMs of server {Server} offer could not be stored and is tried again: {Reason}", this.GetPrimaryKeyString(), failure.Message);
            return;
        }
        var next = changed.ToDictionary(vm => vm.Name, StringComparer.Ordinal);
        foreach (var vm in changed.Where(vm => vm.Leaving && _vmRecords.Any(before => before.Name == vm.Name && !before.Leaving)))
            Log("leaving", $"VM {vm.Name} is leaving server {Name}: its containers go elsewhere first");
        if (changed.Any(vm => _vmRecords.Any(before => before.Name == vm.Name && before.Leaving != vm.Leaving)))
            LookAgain();
        _vmRecords = [.. _vmRecords.Select(vm => next.TryGetValue(vm.Name, out var resized)
            ? vm with { CpuMillis = resized.CpuMillis, MemoryMiB = resized.MemoryMiB, Leaving = resized.Leaving } : vm)];
    }

    public async Task<bool> ReportContainers(long session, IReadOnlyList<ContainerStatus> changed)
    {
        if (_session?.Id != session)
            return false;
        await Take(() => Task.WhenAll(changed.GroupBy(c => c.Vm, StringComparer.Ordinal).Select(vm => Vm(vm.Key).Report([.. vm]))));
        return true;
    }

    public async Task<ServerConfigured> Configure(ServerPatch patch)
    {
        if (_record is not { } record)
            return new ServerConfigured(null);
        var (cordoned, draining) = Decide(record.Cordoned, record.Draining, patch.Cordoned, patch.Draining);
        var thresholds = patch.ResetThresholds ? null : await Merge(patch.Thresholds, record.Thresholds);
        if (thresholds is { AreInOrder: false })
            return new ServerConfigured(record, thresholds);
        if (await pool.SetServerPolicy(Region, Name, cordoned, draining, thresholds, CancellationToken.None) is not { } next)
            return new ServerConfigured(null);
        _record = next;
        await Placement.Configure(next);
        Govern().Ignore();
        LookAgain();
        Log("configured", $"server {Name} is {Words(cordoned, draining)}, thresholds "
            + (thresholds is { } t ? $"admit {t.Admit:0.00} evict {t.Evict:0.00}" : "of the region"));
        return new ServerConfigured(next);
    }

    public async Task<VmRecord?> ConfigureVm(string vm, VmPatch patch)
    {
        if (_vmRecords.FirstOrDefault(v => v.Name == vm) is not { } known)
            return null;
        var (cordoned, draining) = Decide(known.Cordoned, known.Draining, patch.Cordoned, patch.Draining);
        if (await pool.SetVmPolicy(Region, Name, vm, cordoned, draining, CancellationToken.None) is not { } next)
            return null;
        _vmRecords = [.. _vmRecords.Select(v => v.Name == vm ? v with { Cordoned = next.Cordoned, Draining = next.Draining } : v)];
        await Placement.ConfigureVm(next);
        LookAgain();
        Log("configured", $"VM {vm} of {Name} is {Words(cordoned, draining)}");
        return next;
    }

    public Task<ServerRecord?> GetRecord() => Task.FromResult(_record);

    public Task<LogChunk> ReadLogs(LogRead read) => _session is { Link: var link }
        ? _logs.Ask(read, request => link.ReadLogs(request, read).Ignore())
        : Task.FromResult(LogRequests.Away(read.From, "its agent is not connected"));

    public Task CloseLogs(string reader) => _session?.Link.CloseLogs(reader) ?? Task.CompletedTask;

    public Task<bool> TakeLogs(long session, long request, LogChunk chunk)
    {
        if (_session?.Id != session)
            return Task.FromResult(false);
        _logs.Answer(request, chunk);
        return Task.FromResult(true);
    }

    // The timer does the work; being called keeps the grain there.
    public Task Keep() => Task.CompletedTask;

    private async Task<Thresholds?> Merge(ThresholdsPatch? patch, Thresholds? own) =>
        patch is null ? own : patch.Apply(own ?? (await policies.Get(Region)).Thresholds);

    /// <summary>Draining closes, and opening ends a drain.</summary>
    private static (bool Cordoned, bool Draining) Decide(bool wasCordoned, bool wasDraining, bool? cordon, bool? drain)
    {
        var cordoned = drain is true || (cordon ?? wasCordoned);
        return (cordoned, cordoned && (drain ?? wasDraining));
    }

    private static string Words(bool cordoned, bool draining) => draining ? "being drained" : cordoned ? "cordoned" : "open";

    /// <summary>What the agent says of its VMs, with the operator's policy; and those it has no more, for as long as containers are on them.</summary>
    private static VmRecord[] WithPolicy(IReadOnlyList<VmRecord> said, IReadOnlyList<VmRecord> stored)
    {
        var now = said.ToDictionary(vm => vm.Name, StringComparer.Ordinal);
        return [.. stored.Select(vm => now.TryGetValue(vm.Name, out var live) ? live with { Cordoned = vm.Cordoned, Draining = vm.Draining } : vm)];
    }

    private IReadOnlyList<VmRecord> Offered(IReadOnlyList<VmRecord> said) => [.. _vmRecords.Where(vm => said.Any(s => s.Name == vm.Name))];

    /// <summary>Tells the agent what holds. Nobody waits for it: what is lost is said again.</summary>
    private async Task Govern()
    {
        var region = await policies.Get(Region);
        if (_session is { } session && _record is { } record)
            await session.Link.Govern(new ServerPolicy(record.Thresholds ?? region.Thresholds, region.EvictAfterSeconds));
    }

    private IVmGrain Vm(string vm) =>
        _vms.TryGetValue(vm, out var grain) ? grain : _vms[vm] = GrainFactory.GetGrain<IVmGrain>(GrainKeys.Vm(Region, Name, vm));

    private void Log(string kind, string message, ContainerRecord? about = null)
    {
        log.LogInformation("{Message}", message);
        events.Write(new PlatformEvent
        {
            At = clock.GetUtcNow(), Region = Region, Server = Name, App = about?.App, Container = about?.Id, Kind = kind, Message = message,
        });
    }

    /// <summary>The one agent that speaks for the server.</summary>
    private sealed record AgentSession(long Id, IAgentLink Link, IReadOnlyList<VmRecord> Vms)
    {
        public Dictionary<string, long> Applied { get; } = new(StringComparer.Ordinal);
    }
}
