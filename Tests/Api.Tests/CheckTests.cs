using System.Text.Json.Nodes;
using Hosting.Servers;

namespace Hosting.Api.Tests;

public sealed class CheckTests(ApiHost api)
{
    [Fact]
    public async Task A_check_begins_and_is_told_with_its_figures()
    {
        api.World.AddServer("felt");
        (await api.Send("GET", "/v1/servers/eu-1/felt/check")).IsProblem(404);
        Assert.Equal("running", (await api.Send("POST", "/v1/servers/eu-1/felt/check")).Is(202).Json!["state"]!.GetValue<string>());
        api.World.Checks["felt"] = new ServerCheck
        {
            State = CheckState.Done, StartedAt = DateTimeOffset.UnixEpoch, FinishedAt = DateTimeOffset.UnixEpoch.AddSeconds(14), Verdict = CheckVerdict.Felt, Reason = "much",
            PrimaryWait = new(0.1, 0.5, 0.4, 0.01, 0.2, CheckVerdict.Felt), ContainersCpuMillis = 900, Pairs = [new(new(0.1, 0.2, 10), new(null, 0.3, 900))],
        };
        var reply = (await api.Send("GET", "/v1/servers/eu-1/felt/check")).Is(200);
        Assert.True(JsonNode.DeepEquals(reply.Json, JsonNode.Parse("""
            {"state":"done","startedAt":"1970-01-01T00:00:00+00:00","finishedAt":"1970-01-01T00:00:14+00:00","verdict":"felt","reason":"much",
             "primaryWait":{"held":0.1,"free":0.5,"more":0.4,"noise":0.01,"allowed":0.2,"verdict":"felt"},"wakeupMillis":null,"containersCpuMillis":900,
             "pairs":[{"held":{"primaryWait":0.1,"wakeupMillis":0.2,"containersCpuMillis":10},"free":{"primaryWait":null,"wakeupMillis":0.3,"containersCpuMillis":900}}]}
            """)), reply.Text);
    }

    [Fact]
    public async Task A_server_that_can_not_be_checked_says_why()
    {
        api.World.AddServer("gone");
        api.World.Servers["gone"] = api.World.Servers["gone"] with { Online = false };
        var refused = (await api.Send("POST", "/v1/servers/eu-1/gone/check")).IsProblem(409);
        Assert.Equal("its agent is not connected", Assert.Single(refused.Errors("server")));
    }

    [Theory]
    [InlineData("POST", "/v1/servers/eu-1/nothing/check")]
    [InlineData("GET", "/v1/servers/eu-1/nothing/check")]
    [InlineData("POST", "/v1/servers/nowhere/srv-1/check")]
    public async Task What_does_not_exist_is_not_checked(string method, string path) => (await api.Send(method, path)).IsProblem(404);
}
