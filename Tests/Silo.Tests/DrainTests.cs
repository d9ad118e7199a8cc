using System.Net;
using System.Text.Json.Nodes;
using Hosting.Apps;
using Hosting.Protocol;

namespace Hosting.Silo.Tests;

/// <summary>Servers and VMs that operators empty.</summary>
public class DrainTests(RestlessSilo silo) : IClassFixture<RestlessSilo>
{
    [Fact]
    public async Task A_drained_server_asks_again_and_again_until_it_is_empty_and_says_so()
    {
        await using var agent = await silo.Agent("empty-1", "empty");
        var ids = Ids(await silo.Deploy("empty", replicas: 2));

        var draining = await silo.Post("/v1/servers/eu-1/empty-1/drain");
        Assert.Equal((true, true, 2), ((bool)draining["draining"]!, (bool)draining["cordoned"]!, (int)draining["containers"]!));
        Assert.Equal("being drained by an operator", (string?)draining["notAdmittingReason"]);
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count >= 4, "both are asked to leave, and again");
        Assert.All(silo.Asked.Moves(ids), m => Assert.Equal((MoveCause.Drain, "server empty-1 is being drained", null), (m.Cause, m.Reason, m.AvoidUntil)));

        foreach (var container in agent.Running.ToList())
            agent.Report(new Container { Id = container, Vm = VmOf(await silo.Get("/v1/containers?server=eu-1/empty-1"), container), State = Protocol.ContainerState.Stopped });
        Assert.Equal("server empty-1 is empty: everything has left it", await silo.Event("empty-1", "drained"));
        Assert.Equal(0, (int)(await silo.Get("/v1/servers/eu-1/empty-1"))["containers"]!);

        Assert.False((bool)(await silo.Patch("/v1/servers/eu-1/empty-1", new { cordoned = false }))["draining"]!);
        await RestlessSilo.Eventually(async () => (int)(await silo.Get("/v1/apps/empty"))["ready"]! == 2, "it takes containers again");
    }

    [Fact]
    public async Task Opening_a_server_lets_stay_what_has_not_left()
    {
        await using var agent = await silo.Agent("stay-1", "stay");
        var ids = Ids(await silo.Deploy("stay"));
        await silo.Post("/v1/servers/eu-1/stay-1/drain");
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count > 0, "it is asked to leave");
        await silo.Patch("/v1/servers/eu-1/stay-1", new { cordoned = false });
        await RestlessSilo.Eventually(() => silo.Asked.Stays(ids).Count > 0, "it may stay");
        Assert.Equal(ids, Ids((await silo.Get("/v1/apps/stay/containers")).AsArray()!));
    }

    [Fact]
    public async Task A_drained_vm_leaves_the_others_alone_and_takes_nothing()
    {
        await using var agent = await silo.Agent("part-1", "part");
        // Neither VM has room for two.
        var containers = await silo.Deploy("part", replicas: 2, cpu: 600);
        var (leaving, staying) = (InVm(containers, "vm-1"), InVm(containers, "vm-2"));

        var vm = await silo.Post("/v1/vms/eu-1/part-1/vm-1/drain");
        Assert.Equal((true, true, 1), ((bool)vm["draining"]!, (bool)vm["cordoned"]!, (int)vm["containers"]!));
        await RestlessSilo.Eventually(() => silo.Asked.Moves(leaving).Count > 1, "its container is asked to leave");
        Assert.Equal("VM vm-1 of part-1 is being drained", silo.Asked.Moves(leaving)[0].Reason);
        Assert.Empty(silo.Asked.Moves(staying));

        await using var other = await silo.Agent("part-2", "nobody");
        var explained = await Explain();
        Assert.Equal(("cordoned", "being drained by an operator"), ((string?)explained["excludedBy"], (string?)explained["reason"]));
        Assert.False((bool)(await silo.Patch("/v1/vms/eu-1/part-1/vm-1", new { cordoned = false }))["draining"]!);
        Assert.Null((await Explain())["excludedBy"]);
    }

    [Fact]
    public async Task A_vm_that_its_agent_will_do_without_is_emptied_and_takes_nothing_until_it_stays_after_all()
    {
        await using var agent = await silo.Agent("shrink-1", "shrink");
        var containers = await silo.Deploy("shrink", replicas: 2, cpu: 600);
        var (leaving, staying) = (InVm(containers, "vm-1"), InVm(containers, "vm-2"));

        agent.Measured = report => report.Vms.Single(vm => vm.Vm == "vm-1").Leaving = true;
        await RestlessSilo.Eventually(() => silo.Asked.Moves(leaving).Count > 1, "its container is asked to leave");
        Assert.Equal((MoveCause.Drain, "VM vm-1 is leaving shrink-1"), (silo.Asked.Moves(leaving)[0].Cause, silo.Asked.Moves(leaving)[0].Reason));
        Assert.Empty(silo.Asked.Moves(staying));
        Assert.Equal(("cordoned", "leaving its server"), await Excluded("shrink"));
        agent.Measured = _ => { };
        await RestlessSilo.Eventually(() => silo.Asked.Stays(leaving).Count > 0, "it may stay");
        Assert.Equal((null, null), await Excluded("shrink"));
    }

    [Fact]
    public async Task What_a_vm_offers_follows_its_agents_word_and_is_what_is_placed_in()
    {
        await using var agent = await silo.Agent("elastic-1", "elastic");
        agent.Measured = report => report.Vms.ToList().ForEach(vm => (vm.CpuMillis, vm.MemoryMib) = (1_000, 40));
        await RestlessSilo.Eventually(async () => (await silo.Get("/v1/servers/eu-1/elastic-1"))["vms"]!.AsArray().All(vm => (int)vm!["memoryMiB"]! == 40), "it is shown");
        Assert.Equal(("freeMemory", "40 MiB free, 48 MiB needed"), await Excluded("elastic", memory: 48));
        Assert.Equal((null, null), await Excluded("elastic", memory: 40));
        Assert.Equal(40, await silo.StoredMemory("elastic-1"));
    }

    [Theory]
    [InlineData("/v1/servers/eu-1/no-such/drain")]
    [InlineData("/v1/servers/mars-1/no-such/drain")]
    [InlineData("/v1/vms/eu-1/no-such/vm-1/drain")]
    public async Task What_does_not_exist_is_not_drained(string path) =>
        Assert.Equal(HttpStatusCode.NotFound, (await silo.Api.PostAsync(path, null)).StatusCode);

    private async Task<JsonNode> Explain(string only = "part", int memory = 16)
    {
        using var body = new StringContent($$"""{"cpuMillis":10,"memoryMiB":{{memory}},"region":"eu-1","constraints":{"only":"{{only}}"},"best":100}""",
            new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        var answer = await silo.Api.PostAsync("/v1/placements/explain", body);
        var regions = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray();
        return regions[0]!["candidates"]!.AsArray().Single(c => (string?)c!["server"] == $"{only}-1" && (string?)c["vm"] == "vm-1")!;
    }

    private async Task<(string? Rule, string? Reason)> Excluded(string only, int memory = 16)
    {
        var explained = await Explain(only, memory);
        return ((string?)explained["excludedBy"], (string?)explained["reason"]);
    }

    private static string VmOf(JsonNode containers, string id) => (string)containers.AsArray().Single(c => (string?)c!["id"] == id)!["vm"]!;

    private static List<string> InVm(IReadOnlyList<JsonNode> containers, string vm) => Ids(containers.Where(c => (string?)c["vm"] == vm));

    private static List<string> Ids(IEnumerable<JsonNode?> containers) => [.. containers.Select(c => (string)c!["id"]!)];
}
