using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Hosting.Protocol;
using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>Checks of whether a primary feels its VMs, from the agents' protocol to the API.</summary>
public class CheckTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    [Fact]
    public async Task What_the_agent_measures_becomes_a_verdict_and_an_event()
    {
        await using var agent = await Agent("verdict-1");
        agent.Check = () => Measured(late: 5);
        Assert.Equal("running", (string)(await Begin("verdict-1"))["state"]!);
        var check = await Over("verdict-1");
        Assert.Equal(("done", "felt"), ((string)check["state"]!, (string)check["verdict"]!));
        Assert.Equal(4.9, (double)check["wakeupMillis"]!["more"]!, 3);
        Assert.Null(check["primaryWait"]);
        await SiloUnderTest.Eventually(async () => (await silo.Get("/v1/events?limit=1000")).AsArray()
            .Any(e => (string)e!["kind"]! == "checked" && ((string)e["message"]!).StartsWith("server verdict-1 was checked: its primary feels its VMs", StringComparison.Ordinal)), "the diary has it");
        // Another one may follow.
        agent.Check = () => Measured(late: 0.1);
        await Begin("verdict-1");
        Assert.Equal("notFelt", (string)(await Over("verdict-1"))["verdict"]!);
    }

    [Fact]
    public async Task One_check_at_a_time_and_none_without_the_agent()
    {
        await using var agent = await Agent("alone-1");
        await Begin("alone-1");
        Assert.Contains("being checked already", await Refused("alone-1"), StringComparison.Ordinal);
        await agent.Drop();
        var check = await Over("alone-1");
        Assert.Equal(("failed", "its agent went away meanwhile"), ((string)check["state"]!, (string)check["reason"]!));
        Assert.Contains("its agent is not connected", await Refused("alone-1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_containers_says_that_there_was_nothing_to_measure_against()
    {
        await using var agent = await Agent("empty-1");
        agent.Check = () => new CheckMeasured { Failure = "no container runs on it, so there is nothing to measure against" };
        await Begin("empty-1");
        var check = await Over("empty-1");
        Assert.Equal(("failed", "no container runs on it, so there is nothing to measure against"), ((string)check["state"]!, (string)check["reason"]!));
    }

    private static CheckMeasured Measured(double late)
    {
        var measured = new CheckMeasured();
        for (var i = 0; i < 5; i++)
            measured.Pairs.Add(new CheckPair { Held = new() { WakeupMillis = 0.1, ContainersCpuMillis = 10 }, Free = new() { WakeupMillis = late, ContainersCpuMillis = 900 } });
        return measured;
    }

    private Task<SimulatedAgent> Agent(string server) => SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, server);

    private async Task<JsonNode> Begin(string server)
    {
        var answer = await silo.Api.PostAsync(Path(server), null);
        Assert.Equal(202, (int)answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    private async Task<string> Refused(string server)
    {
        var answer = await silo.Api.PostAsync(Path(server), null);
        Assert.Equal(409, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<JsonNode> Over(string server)
    {
        JsonNode check = new JsonObject();
        await SiloUnderTest.Eventually(async () => (string)(check = await silo.Get(Path(server)))["state"]! != "running", "the check is over");
        return check;
    }

    private static string Path(string server) => $"/v1/servers/{SiloUnderTest.Region}/{server}/check";
}
