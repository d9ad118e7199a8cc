namespace Hosting.Cli.Tests;

public sealed class CheckTests
{
    private const string Running = """{"state":"running","startedAt":"2026-01-02T12:00:00Z"}""";

    [Fact]
    public async Task A_server_whose_primary_feels_nothing_shows_the_figures_and_ends_with_0()
    {
        await using var api = await Check("notFelt", "give or take nothing");
        var run = await Run.Command(api, "servers", "check", "srv-1");
        Assert.Equal("""
            FIGURE                                      CONTAINERS HELD  AS THEY ARE      MORE     NOISE   ALLOWED  FELT
            primary waits for a CPU, share of its time             1.0%         2.0%      1.0%      0.5%      5.0%  no
            wake-up comes late, 99 of 100 at most              0.100 ms     0.120 ms  0.020 ms  0.010 ms  0.500 ms  no
            Containers used 900 m CPU as they are.
            eu-1/srv-1: not felt: give or take nothing.

            """, run.Out);
        Assert.Equal((0, "eu-1/srv-1 is being measured\n"), (run.Code, run.Error));
    }

    [Theory]
    [InlineData("felt", "waits more", "error: eu-1/srv-1: felt: waits more.\n")]
    [InlineData("cannotTell", "too much noise (3)", "error: eu-1/srv-1: cannot tell: too much noise (3).\n")]
    public async Task Any_other_verdict_ends_with_1(string verdict, string reason, string error)
    {
        await using var api = await Check(verdict, reason);
        var run = await Run.Command(api, "servers", "check", "eu-1/srv-1");
        Assert.Equal(1, run.Code);
        Assert.EndsWith(error, run.Error, StringComparison.Ordinal);
        Assert.Contains("wake-up comes late", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_felt_says_what_helps()
    {
        await using var api = await Check("felt", "waits more", wait: "felt");
        var run = await Run.Command(api, "servers", "check", "eu-1/srv-1");
        Assert.Contains("felt: waits more. What helps: each of the primary's threads", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_that_measured_nothing_says_why()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/servers/eu-1/srv-1/check", 202, Running)
            .On("GET /v1/servers/eu-1/srv-1/check", 200, """{"state":"failed","startedAt":"2026-01-02T12:00:00Z","reason":"no container runs on it"}""");
        var run = await Run.Command(api, "servers", "check", "eu-1/srv-1");
        Assert.Equal((1, "", "error: eu-1/srv-1: nothing was measured: no container runs on it.\n"), (run.Code, run.Out, run.Error));
    }

    [Fact]
    public async Task As_json_it_is_the_apis_answer()
    {
        await using var api = await Check("felt", "waits more");
        var run = await Run.Command(api, "servers", "check", "eu-1/srv-1", "-o", "json");
        Assert.Equal(1, run.Code);
        Assert.StartsWith("{\n  \"state\": \"done\"", run.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_and_vms_are_told()
    {
        await using var api = (await FakeApi.Start()).On("POST /v1/servers/eu-1/srv-1/check", 409,
            """{"status":409,"title":"The request contradicts what exists","detail":"d","errors":{"server":["it is being checked already"]}}""");
        var run = await Run.Command(api, "servers", "check", "eu-1/srv-1");
        Assert.Equal((1, "error: The request contradicts what exists\n  server: it is being checked already\n"), (run.Code, run.Error));
        Assert.Equal(2, (await Run.Command(api, "servers", "check", "eu-1/srv-1/vm-1")).Code);
        Assert.Equal(2, (await Run.Command(api, "servers", "check")).Code);
    }

    private static async Task<FakeApi> Check(string verdict, string reason, string wait = "notFelt")
    {
        var done = $$"""
            {"state":"done","startedAt":"2026-01-02T12:00:00Z","verdict":"{{verdict}}","reason":"{{reason}}","containersCpuMillis":900,
             "primaryWait":{"held":0.01,"free":0.02,"more":0.01,"noise":0.005,"allowed":0.05,"verdict":"{{wait}}"},
             "wakeupMillis":{"held":0.1,"free":0.12,"more":0.02,"noise":0.01,"allowed":0.5,"verdict":"notFelt"} }
            """;
        return (await FakeApi.Start()).On("GET /v1/servers", 200, Canned.Servers).On("POST /v1/servers/eu-1/srv-1/check", 202, Running)
            .OnEach("GET /v1/servers/eu-1/srv-1/check", Running, done);
    }
}
