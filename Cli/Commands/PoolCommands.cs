using System.CommandLine;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary>Commands that show the pool: containers, servers, VMs, regions.</summary>
internal static class PoolCommands
{
    public static Command Containers(Shell shell)
    {
        var app = new Option<string?>("--app") { Description = "Only of this app.", HelpName = "NAME" };
        var region = RegionOption();
        var server = ServerOption();
        var all = new Option<bool>("--all") { Description = "Also those that are over." };
        var command = new Command("containers", "List the containers: what runs where.") { app, region, server, all };
        shell.Bind(command, async (call, cancel) =>
        {
            var given = call.Arguments;
            var path = Query.On("v1/containers", ("app", given.GetValue(app)), ("region", given.GetValue(region)),
                ("server", given.GetValue(server)), ("all", given.GetValue(all) ? "true" : null));
            call.Show(await call.Api.Get(path, AnswerJson.Default.ContainerArray, cancel), found => WriteContainers(call, found, "There are no containers."));
        });
        return command;
    }

    public static Command Servers(Shell shell)
    {
        var region = RegionOption();
        var command = new Command("servers", "List the servers: how busy they are, and whether they take containers.") { region, CheckCommand.Create(shell) };
        shell.Bind(command, async (call, cancel) =>
        {
            var path = Query.On("v1/servers", ("region", call.Arguments.GetValue(region)));
            call.Show(await call.Api.Get(path, AnswerJson.Default.ServerArray, cancel), servers => WriteServers(call, servers));
        });
        return command;
    }

    public static Command Vms(Shell shell)
    {
        var region = RegionOption();
        var server = ServerOption();
        var command = new Command("vms", "List the VMs: what is free in them.") { region, server };
        shell.Bind(command, async (call, cancel) =>
        {
            var path = Query.On("v1/vms", ("region", call.Arguments.GetValue(region)), ("server", call.Arguments.GetValue(server)));
            call.Show(await call.Api.Get(path, AnswerJson.Default.VmArray, cancel), vms => WriteVms(call, vms));
        });
        return command;
    }

    public static Command Regions(Shell shell)
    {
        var command = new Command("regions", "List the regions.");
        shell.Bind(command, async (call, cancel) =>
            call.Show(await call.Api.Get("v1/regions", AnswerJson.Default.RegionArray, cancel), regions => WriteRegions(call, regions)));
        return command;
    }

    public static void WriteContainers(Invocation call, Container[] containers, string whenEmpty)
    {
        var now = call.Time.GetUtcNow();
        var table = new Listing("id", "app", "revision#", "state", "vm", "endpoint", "cpu millis#", "memory mib#", "age#", "reason");
        foreach (var c in containers)
            table.Add(c.Id, c.App, c.Revision, Words.State(c.State, c.Healthy), $"{c.Region}/{c.Server}/{c.Vm}", c.Endpoint,
                c.CpuMillis, c.MemoryMiB, Words.Age(c.CreatedAt, now), c.Reason);
        table.Write(call.Terminal, whenEmpty);
    }

    private static void WriteServers(Invocation call, Server[] servers)
    {
        var table = new Listing(
            "id", "admitting", "cpu#", "memory#", "primary cpu#", "admit under#", "evict over#", "cpu millis#", "memory mib#", "vms#", "labels", "note");
        foreach (var s in servers)
            table.Add(s.Id, Admitting(s), Words.Percent(s.Utilization?.Cpu), Words.Percent(s.Utilization?.Memory), Words.Percent(s.Utilization?.PrimaryCpu),
                Words.Percent(s.Thresholds?.Admit), Words.Percent(s.Thresholds?.Evict), s.CpuMillis, s.MemoryMiB, s.Vms?.Count ?? 0,
                Words.Labels(s.Labels), Note(s));
        table.Write(call.Terminal, "There are no servers yet: one appears when its agent connects.");
    }

    /// <summary>Why it takes no containers, and what those it has are held to.</summary>
    private static string Note(Server server) => string.Join("; ", new[]
    {
        server.NotAdmittingReason, server.CapMillis is { } cap ? $"its containers are held to {cap} m CPU" : null,
    }.OfType<string>());

    private static Cell Admitting(Server server) => server switch
    {
        { Online: false } => new("offline", Tone.Bad),
        { Suspect: true } => new("suspect", Tone.Bad),
        { Draining: true, Containers: var left } => new(left > 0 ? $"draining, {left} left" : "drained", Tone.Waiting),
        { Cordoned: true } => new("cordoned", Tone.Waiting),
        { Admitting: true } => new("yes", Tone.Good),
        _ => new("no", Tone.Waiting),
    };

    private static void WriteVms(Invocation call, Vm[] vms)
    {
        var table = new Listing("id", "driver", "ready", "containers#", "free cpu millis#", "cpu millis#", "free memory mib#", "memory mib#", "reason");
        foreach (var vm in vms)
            table.Add(vm.Id, vm.Driver, Ready(vm), vm.Containers,
                vm.FreeCpuMillis, vm.CpuMillis, vm.FreeMemoryMiB, vm.MemoryMiB, vm.Reason);
        table.Write(call.Terminal, "There are no VMs yet: they come with their server's agent.");
    }

    private static Cell Ready(Vm vm) => vm switch
    {
        { Ready: false } => new("no", Tone.Bad),
        { Draining: true } => new(vm.Containers > 0 ? "draining" : "drained", Tone.Waiting),
        { Cordoned: true } => new("cordoned", Tone.Waiting),
        _ => new("yes", Tone.Good),
    };

    private static void WriteRegions(Invocation call, Region[] regions)
    {
        var table = new Listing("name", "servers#", "online#", "admitting#", "vms#", "containers#", "admit under#", "evict over#", "note");
        foreach (var r in regions)
            table.Add(r.Name, $"{r.Servers}", $"{r.ServersOnline}", $"{r.ServersAdmitting}", $"{r.Vms}", $"{r.Containers}",
                Words.Percent(r.Thresholds?.Admit), Words.Percent(r.Thresholds?.Evict), new Cell(r.Reason ?? "", Tone.Bad));
        table.Write(call.Terminal, "There are no regions yet: one appears when a silo that serves it has started.");
    }

    private static Option<string?> RegionOption() => new("--region") { Description = "Only of this region.", HelpName = "REGION" };

    private static Option<string?> ServerOption() => new("--server") { Description = "Only of this server: region/name.", HelpName = "SERVER" };
}
