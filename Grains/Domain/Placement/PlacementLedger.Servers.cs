using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Domain.Placement;

/// <content>What servers and agents say.</content>
public sealed partial class PlacementLedger
{
    /// <summary>A server as the database holds it: offline until its agent joins.</summary>
    public void Restore(ServerRecord server, IReadOnlyList<VmRecord> vms) => Offer(server, vms, online: false);

    /// <summary>Containers as the database holds them.</summary>
    public void Restore(IReadOnlyCollection<ContainerRecord> containers)
    {
        foreach (var container in containers) Restore(container);
    }

    /// <summary>A container as the database holds it. It takes its room even beyond what its VM offers. One that is over takes none.</summary>
    public void Restore(ContainerRecord container)
    {
        if (container.IsOver || _containers.ContainsKey(container.Id)) return;
        var server = _servers.GetValueOrDefault(container.Server) ?? Add(Unknown(container));
        Reserve(container, server.Vm(container.Vm) ?? Retired(server, container), App(container.App));
    }

    /// <summary>
    /// An agent connected: capacity, labels and policy of its server, and its VMs. A VM that is not named goes, or, with
    /// containers in it, stays and takes nothing more. The server takes containers again from its first report on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A server without CPU or memory.</exception>
    public void Join(ServerRecord server, IReadOnlyList<VmRecord> vms) => Offer(server, vms, online: true);

    /// <summary>An operator's policy for a server: cordoned and thresholds. Unknown servers are ignored.</summary>
    public void Configure(ServerRecord server)
    {
        if (!_servers.TryGetValue(server.Name, out var entry)) return;
        _index.Withdraw(entry);
        entry.Configure(entry.Record with { Cordoned = server.Cordoned, Draining = server.Draining, Thresholds = server.Thresholds }, _defaults);
        _index.Enter(entry);
    }

    /// <summary>An operator's policy for a VM. Unknown ones are ignored.</summary>
    public void Configure(VmRecord vm)
    {
        if (!_servers.TryGetValue(vm.Server, out var server) || server.Vm(vm.Name) is not { } entry) return;
        _index.Withdraw(server);
        entry.Configure(vm.Cordoned, vm.Draining);
        _index.Enter(server);
    }

    /// <summary>Thresholds of every server without its own, from the next decision on.</summary>
    public void SetDefaults(Thresholds defaults)
    {
        _defaults = defaults;
        foreach (var server in _index.Servers)
        {
            _index.Withdraw(server);
            server.Configure(server.Record, defaults);
            _index.Enter(server);
        }
    }

    /// <summary>A server's agent is gone: it takes nothing until it joins again.</summary>
    /// <param name="server">Name within the region; unknown ones are ignored.</param>
    /// <param name="reason">Why, for people.</param>
    public void Leave(string server, string reason)
    {
        if (!_servers.TryGetValue(server, out var entry)) return;
        _index.Withdraw(entry);
        entry.Online = false;
        entry.Fresh = false;
        entry.LeaveReason = reason;
        _heard.Remove(entry);
        _index.Enter(entry);
    }

    /// <summary>
    /// A measurement. What started before it was sampled, or is listed in it, is part of it from now on and no longer counted in flight.
    /// </summary>
    /// <returns>False when the server is not online: it has to join first.</returns>
    public bool Report(string server, UtilizationReport report, DateTimeOffset now)
    {
        Advance(now);
        if (!_servers.TryGetValue(server, out var entry) || !entry.Online) return false;
        _index.Withdraw(entry);
        entry.Measure(report);
        Settle(entry, report);
        HearVms(entry, report.Vms);
        entry.Fresh = true;
        entry.LastReport = _now;
        _heard.Heard(entry);
        _index.Enter(entry);
        return true;
    }

    /// <summary>
    /// A container's process started, or started again: its demand counts in flight until a report sampled afterwards.
    /// Unknown containers and starts known already are ignored.
    /// </summary>
    /// <param name="container">Its id.</param>
    /// <param name="startedAt">When, by its server's clock.</param>
    public void Started(string container, DateTimeOffset startedAt)
    {
        if (!_containers.TryGetValue(container, out var entry) || startedAt <= entry.StartedAt) return;
        var server = entry.Vm.Server;
        _index.Withdraw(server);
        SetInFlight(entry, false);
        entry.StartedAt = startedAt;
        SetInFlight(entry, !(server.SampledAt > startedAt));
        _index.Enter(server);
    }

    /// <summary>Servers that fell silent since the last call. They take nothing until they are heard from.</summary>
    public IReadOnlyList<string> ExpireStale(DateTimeOffset now)
    {
        Advance(now);
        if (_becameStale.Count == 0) return [];
        string[] names = [.. _becameStale];
        _becameStale.Clear();
        return names;
    }

    /// <summary>Time only goes on: a clock set back must not make a silent server look heard from.</summary>
    private void Advance(DateTimeOffset now)
    {
        if (now > _now) _now = now;
        while (_heard.Oldest is { } server && _now - server.LastReport >= _staleAfter)
        {
            _index.Withdraw(server);
            server.Fresh = false;
            _heard.Remove(server);
            _index.Enter(server);
            _becameStale.Add(server.Record.Name);
        }
    }

    private void Offer(ServerRecord record, IReadOnlyList<VmRecord> vms, bool online)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(record.CpuMillis, "CpuMillis");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(record.MemoryMiB, "MemoryMiB");
        var server = _servers.GetValueOrDefault(record.Name) ?? Add(record);
        _index.Withdraw(server);
        server.Configure(record, _defaults);
        server.Vms = Offered(server, vms);
        server.Online = online;
        server.LeaveReason = online ? null : server.LeaveReason;
        server.Fresh = false;
        _heard.Remove(server);
        _index.Enter(server);
        _index.Relabel(server);
    }

    private ServerEntry Add(ServerRecord record)
    {
        var server = new ServerEntry(_index.Servers.Count, record, _defaults);
        _servers.Add(record.Name, server);
        _index.Add(server);
        return server;
    }

    /// <summary>The VMs named, in that order, then those that only their containers keep.</summary>
    private static VmEntry[] Offered(ServerEntry server, IReadOnlyList<VmRecord> records)
    {
        var offered = new List<VmEntry>(records.Count);
        foreach (var record in records)
        {
            var vm = server.Vm(record.Name) ?? new VmEntry(server, record);
            if (offered.Contains(vm)) continue;
            vm.Offer(record);
            offered.Add(vm);
        }
        foreach (var vm in server.Vms)
        {
            if (vm.Containers == 0 || offered.Contains(vm)) continue;
            vm.Retire();
            offered.Add(vm);
        }
        return [.. offered];
    }

    private VmEntry Retired(ServerEntry server, ContainerRecord container)
    {
        var record = new VmRecord
        {
            Region = _region, Server = container.Server, Name = container.Vm, Driver = "", CpuMillis = 0, MemoryMiB = 0,
        };
        var vm = new VmEntry(server, record);
        vm.Retire();
        _index.Withdraw(server);
        server.Vms = [.. server.Vms, vm];
        _index.Enter(server);
        return vm;
    }

    /// <summary>A server that only a container's record names: it must still be possible to release that container.</summary>
    private ServerRecord Unknown(ContainerRecord container) =>
        new() { Region = _region, Name = container.Server, CpuMillis = 1, MemoryMiB = 1 };

    /// <summary>
    /// What started before a sample was taken is part of it. So is what the sample lists although nobody said that it started: that
    /// word may have been lost, and its demand would count twice for as long as it runs.
    /// </summary>
    private void Settle(ServerEntry server, UtilizationReport report)
    {
        for (var i = server.AwaitingSample.Count - 1; i >= 0; i--)
        {
            var container = server.AwaitingSample[i];
            if (container.StartedAt < report.SampledAt) SetInFlight(container, false);
        }
        if (server.InFlightCpu == 0) return;
        foreach (var used in report.Usage)
            if (_containers.TryGetValue(used.Container, out var found) && found is { InFlight: true, StartedAt: null } && found.Vm.Server == server)
                SetInFlight(found, false);
    }

    private static void HearVms(ServerEntry server, IReadOnlyList<VmReport> reports)
    {
        foreach (var report in reports) server.Vm(report.Vm)?.Hear(report);
    }
}
