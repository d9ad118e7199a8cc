using Hosting.Servers;
using Hosting.Simulation.Tests.Checks;
using Hosting.Simulation.Tests.Time;
using Hosting.Simulation.Tests.World;

namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>Plays the grain of one server around the real watches: the agent's session, and what an operator says.</summary>
internal sealed partial class ServerPart : Activation
{
    private const int CompareEvery = 4;

    private readonly Turns _turns = new();
    private readonly Dictionary<string, VmPart> _vmParts = new(StringComparer.Ordinal);
    private readonly ServerBook _book;
    private ServerRecord? _record;
    private List<VmRecord> _vms = [];
    private Session? _session;
    private int _reports;

    public ServerPart(Region region, string name)
        : base(region)
    {
        (Name, _book) = (name, region.Watch.Books[name]);
        Activate();
    }

    public string Name { get; }

    private PlacementPart Placement => Region.Placement;

    /// <summary>A new activation: what was in memory is gone, and its agent has to say hello again.</summary>
    public void Activate()
    {
        BeginAnew();
        _session = null;
        _record = Region.Database.Servers.GetValueOrDefault(Name);
        _vms = Region.Database.Vms.GetValueOrDefault(Name) ?? [];
        StartWatch();
    }

    public async Task<string?> Connect(AgentHello hello, AgentLink link)
    {
        string? refusal = null;
        await _turns.Run(async () => refusal = await Welcome(hello, link));
        return refusal;
    }

    public Task<bool> Disconnect(long session) => InTurn(session, async current =>
    {
        _session = null;
        await Call(() => { Placement.Leave(Name, "its agent is not connected"); return Task.CompletedTask; });
        await Each(current.Vms, vm => Vm(vm.Name).Detach());
    });

    /// <summary>A measurement. While the grain is busy with another turn it is lost, which costs nothing.</summary>
    public bool Report(long session, UtilizationReport report)
    {
        if (_turns.Busy) return true;
        if (_session is not { } current || current.Id != session) return false;
        if (Placement.Report(Name, report)) (_book.Last, _book.HeardAt) = (report, Region.Now);
        else Region.Run(() => InTurn(session, Rejoin));
        foreach (var vm in report.Vms)
        {
            if ((_reports % CompareEvery == 0 || current.Applied.GetValueOrDefault(vm.Vm) != vm.AppliedVersion)
                && !Vm(vm.Vm).Applied(vm.AppliedVersion)) Region.Run(() => Reattach(session, vm.Vm));
            current.Applied[vm.Vm] = vm.AppliedVersion;
        }
        _reports++;
        Hear(report);
        return true;
    }

    public Task<bool> ReportContainers(long session, IReadOnlyList<Vms.ContainerStatus> changed) => InTurn(session, _ =>
        Task.WhenAll(changed.GroupBy(c => c.Vm, StringComparer.Ordinal).Select(vm => Call(() => Vm(vm.Key).Report([.. vm])))));

    /// <summary>Closes, empties or opens the server. False when nobody knows it yet.</summary>
    public async Task<bool> Configure(bool cordoned, bool draining)
    {
        var known = false;
        await _turns.Run(async () =>
        {
            if (_record is not { } record) return;
            await Write();
            Region.Database.Servers[Name] = _record = record with { Cordoned = cordoned, Draining = draining };
            await Call(() => { Placement.Configure(_record); return Task.CompletedTask; });
            LookAgain();
            known = true;
        });
        return known;
    }

    /// <summary>As <see cref="Configure"/>, for one of its VMs.</summary>
    public async Task<bool> ConfigureVm(string vm, bool cordoned, bool draining)
    {
        var known = false;
        await _turns.Run(async () =>
        {
            if (_vms.Find(v => v.Name == vm) is not { } before) return;
            var next = before with { Cordoned = cordoned, Draining = draining };
            await Write();
            Region.Database.Vms[Name] = _vms = [.. _vms.Select(v => v.Name == vm ? next : v)];
            await Call(() => { Placement.Configure(next); return Task.CompletedTask; });
            LookAgain();
            known = true;
        });
        return known;
    }

    private async Task<string?> Welcome(AgentHello hello, AgentLink link)
    {
        if (_session is { } current && current.Id >= hello.Session) return "a newer session is connected";
        _session?.Link.Close();
        _session = null;
        _loss.Offer(hello.Vms, Region.Now);
        await Write();
        _record = Region.Database.Upsert(hello.Server, hello.Vms);
        _vms = Region.Database.Vms[Name];
        var record = _record;
        await Call(() => { Placement.Join(record, Offered(hello.Vms)); return Task.CompletedTask; });
        await Each(hello.Vms, vm => Vm(vm.Name).Attach(link, hello.Containers));
        _session = new Session(hello.Session, link, hello.Vms);
        LookAgain();
        return null;
    }

    private async Task Rejoin(Session current)
    {
        var record = _record!;
        await Call(() => { Placement.Join(record, Offered(current.Vms)); return Task.CompletedTask; });
    }

    /// <summary>The grain of a VM moved: it does not know its agent.</summary>
    private Task Reattach(long session, string vm) => InTurn(session, current =>
        Call(() => Vm(vm).Attach(current.Link, [])));

    /// <summary>In a turn of its own, if the session is the current one then.</summary>
    private async Task<bool> InTurn(long session, Func<Session, Task> act)
    {
        var isCurrent = false;
        await _turns.Run(async () =>
        {
            isCurrent = _session?.Id == session;
            if (isCurrent) await act(_session!);
        });
        return isCurrent;
    }

    private Task Each(IEnumerable<VmRecord> vms, Func<VmRecord, Task> act) =>
        Task.WhenAll(vms.Select(vm => Call(() => act(vm))).ToList());

    private VmPart Vm(string name) => _vmParts.TryGetValue(name, out var part) ? part : _vmParts[name] = Region.Vm(Name, name);

    private List<VmRecord> Offered(IReadOnlyList<VmRecord> said) => [.. _vms.Where(vm => said.Any(s => s.Name == vm.Name))];

    private sealed record Session(long Id, AgentLink Link, IReadOnlyList<VmRecord> Vms)
    {
        public Dictionary<string, long> Applied { get; } = new(StringComparer.Ordinal);
    }
}
