using System.Text.Json.Nodes;
using Hosting.Apps;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>Servers and VMs that fall silent, and come back.</summary>
public class LossTests(RestlessSilo silo) : IClassFixture<RestlessSilo>
{
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Containers_of_a_silent_server_are_replaced_after_its_time_and_not_before()
    {
        var agent = await silo.Agent("gone-1", "gone");
        var ids = Ids(await silo.Deploy("gone"));
        var silentSince = TimeProvider.System.GetUtcNow();
        await agent.DisposeAsync();

        await silo.Event("gone-1", "suspect", "its containers keep their traffic");
        var suspect = await silo.Get("/v1/servers/eu-1/gone-1");
        Assert.Equal((true, false), ((bool)suspect["suspect"]!, (bool)suspect["admitting"]!));
        Assert.Equal(1, (int)(await silo.Get("/v1/apps/gone"))["ready"]!);
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count > 1, "its container is replaced");
        Assert.InRange(silo.Asked.FirstMoveAt(ids)!.Value - silentSince, LostAfter - TimeSpan.FromMilliseconds(300), LostAfter + TimeSpan.FromSeconds(4));
        var move = silo.Asked.Moves(ids)[0];
        Assert.Equal(MoveCause.Lost, move.Cause);
        Assert.Matches("^server gone-1 has not been heard from for ([6-9]|10) s$", move.Reason);
        await silo.Event("gone-1", "lost", "its 1 containers are replaced elsewhere");

        await using var again = await Back("gone-1", "gone", ids);
        await RestlessSilo.Eventually(() => silo.Asked.Stays(ids).Count > 0, "what is there again may stay");
        await silo.Event("gone-1", "back");
    }

    [Fact]
    public async Task An_agent_that_is_back_in_time_moves_nothing()
    {
        var agent = await silo.Agent("blink-1", "blink");
        var ids = Ids(await silo.Deploy("blink"));
        await agent.DisposeAsync();
        await silo.Event("blink-1", "suspect");
        await using var again = await Back("blink-1", "blink", ids);
        await silo.Event("blink-1", "back", "nothing was moved");
        await RestlessSilo.Eventually(() => silo.Asked.Stays(ids).Count > 0, "and its container is told to stay, to be sure");
        Assert.Empty(silo.Asked.Moves(ids));
    }

    [Fact]
    public async Task A_stream_that_is_open_and_silent_is_ended()
    {
        await using var agent = await silo.Agent("mute-1", "mute");
        var ids = Ids(await silo.Deploy("mute"));
        agent.Silent = true;
        await RestlessSilo.Eventually(() => silo.Asked.Moves(ids).Count > 0, "its container is replaced");
        await agent.Conversation.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_vm_whose_engine_does_not_answer_is_lost_alone()
    {
        await using var agent = await silo.Agent("half-1", "half");
        // Neither VM has room for two.
        var containers = await silo.Deploy("half", replicas: 2, cpu: 600);
        var (lost, there) = (InVm(containers, "vm-1"), InVm(containers, "vm-2"));
        agent.Measured = report => (report.Vms[0].Ready, report.Vms[0].Reason) = (false, "the engine died");
        await RestlessSilo.Eventually(() => silo.Asked.Moves(lost).Count > 0, "its container is replaced");
        Assert.Equal(MoveCause.Lost, silo.Asked.Moves(lost)[0].Cause);
        Assert.Matches("^VM vm-1 has not been ready for [67] s: the engine died$", silo.Asked.Moves(lost)[0].Reason);

        agent.Measured = _ => { };
        await RestlessSilo.Eventually(() => silo.Asked.Stays(lost).Count > 0, "it may stay");
        await silo.Event("half-1", "back", "VM vm-1");
        Assert.Empty(silo.Asked.Moves(there));
    }

    [Fact]
    public async Task A_vm_that_its_agent_gives_up_is_lost_at_once()
    {
        await using var agent = await silo.Agent("less-1", "less");
        var containers = await silo.Deploy("less", replicas: 2, cpu: 600);
        var lost = InVm(containers, "vm-2");
        var since = TimeProvider.System.GetUtcNow();
        agent.Measured = report => (report.Vms[1].Ready, report.Vms[1].Gone, report.Vms[1].Reason) = (false, true, "its disk is broken");
        await RestlessSilo.Eventually(() => silo.Asked.Moves(lost).Count > 0, "its container is replaced");
        Assert.True(silo.Asked.FirstMoveAt(lost) - since < LostAfter, "without waiting");
        Assert.Equal("VM vm-2 is gone: its disk is broken", silo.Asked.Moves(lost)[0].Reason);
        Assert.Empty(silo.Asked.Moves(InVm(containers, "vm-1")));
    }

    private async Task<SimulatedAgent> Back(string server, string only, IReadOnlyList<string> running) =>
        await SimulatedAgent.Connect(silo.Hub, RestlessSilo.Region, server, change: h =>
        {
            h.Labels.Add("only", only);
            h.Containers.AddRange(running.Select(id => new Protocol.Container
            {
                Id = id, App = only, Vm = "vm-1", State = Protocol.ContainerState.Running, Healthy = true, Endpoint = "127.0.0.1:9",
            }));
        });

    private static List<string> InVm(IReadOnlyList<JsonNode> containers, string vm) => Ids(containers.Where(c => (string?)c["vm"] == vm));

    private static List<string> Ids(IEnumerable<JsonNode> containers) => [.. containers.Select(c => (string)c["id"]!)];
}

/// <summary>What the control plane's own restart means for servers that are there, and for those that are not.</summary>
public class LossAfterRestartTests(RestlessSilo silo) : IClassFixture<RestlessSilo>
{
    [Fact]
    public async Task A_restarted_control_plane_gives_agents_time_and_goes_on_with_a_drain()
    {
        var away = await silo.Agent("away-1", "away");
        var lost = (await silo.Deploy("away")).Select(c => (string)c["id"]!).ToList();
        var drained = await silo.Agent("drain-1", "drain");
        var leaving = (await silo.Deploy("drain")).Select(c => (string)c["id"]!).ToList();
        await silo.Post("/v1/servers/eu-1/drain-1/drain");
        await RestlessSilo.Eventually(() => silo.Asked.Moves(leaving).Count > 0, "it is asked to leave");
        await away.DisposeAsync();
        await drained.DisposeAsync();

        var before = silo.Asked.Moves(leaving).Count;
        await silo.Restart();
        var began = TimeProvider.System.GetUtcNow();
        await RestlessSilo.Eventually(() => silo.Asked.Moves(leaving).Count > before, "it is asked again, though nobody called");
        Assert.Equal(MoveCause.Drain, silo.Asked.Moves(leaving)[^1].Cause);
        await RestlessSilo.Eventually(() => silo.Asked.Moves(lost).Count > 0, "a server that does not come back is lost in the end");
        Assert.True(silo.Asked.FirstMoveAt(lost) - began > TimeSpan.FromSeconds(11), "but not before its agent had time to come back");
    }
}
