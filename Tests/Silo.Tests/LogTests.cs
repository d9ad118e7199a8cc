using Hosting.Support;

namespace Hosting.Silo.Tests;

/// <summary>Logs from the agents' protocol to the API, while agents and clients come and go.</summary>
public class LogTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    [Fact]
    public async Task Lines_of_all_containers_are_merged_by_time_the_newest_last()
    {
        await using var agent = await Agent("merge");
        var (one, two) = await Two("merge");
        for (var i = 0; i < 250; i++)
            agent.Logs.Write(i % 3 == 0 ? one : two, $"line {i}", error: i % 3 == 0);
        var all = (await silo.Get("/v1/apps/merge/logs?tail=10000")).AsArray();
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"line {i}"), all.Select(line => (string)line!["text"]!));
        Assert.Equal((one, "stderr"), ((string)all[0]!["container"]!, (string)all[0]!["stream"]!));
        var newest = (await silo.Get("/v1/apps/merge/logs?tail=3")).AsArray();
        Assert.Equal(["line 247", "line 248", "line 249"], newest.Select(line => (string)line!["text"]!));
        var ofOne = (await silo.Get($"/v1/apps/merge/logs?tail=2&container={one}")).AsArray();
        Assert.Equal(["line 246", "line 249"], ofOne.Select(line => (string)line!["text"]!));
        var since = (string)all[240]!["at"]!;
        Assert.Equal(10, (await silo.Get($"/v1/apps/merge/logs?since={Uri.EscapeDataString(since)}")).AsArray().Count);
    }

    [Fact]
    public async Task A_follower_is_told_what_is_there_what_comes_and_what_new_replicas_write()
    {
        await using var agent = await Agent("grow");
        var (one, two) = await Two("grow");
        agent.Logs.Write(one, "before");
        agent.Logs.Write(two, "last");
        await using var reading = new LogReading(silo, "/v1/apps/grow/logs?follow=true&tail=1");
        Assert.Equal($"{two} last", await reading.Next());
        agent.Logs.Write(one, "live");
        Assert.Equal($"{one} live", await reading.Next());

        await silo.Put("grow", Spec("grow", replicas: 3));
        await silo.Until("grow", s => (int)s["ready"]! == 3);
        var three = (await Ids("grow")).Except([one, two]).Single();
        agent.Logs.Write(three, "hello");
        Assert.Equal($"{three} hello", await reading.Next());
    }

    [Fact]
    public async Task A_client_that_breaks_off_anywhere_and_goes_on_is_told_every_line_once()
    {
        await using var agent = await Agent("gaps");
        agent.Logs.AnswerLines = 10;
        var (one, two) = await Two("gaps");
        var written = new List<string>();
        await using var reading = new LogReading(silo, "/v1/apps/gaps/logs?follow=true&tail=10000");
        var told = new List<string>();
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                var container = i % 4 == round % 4 ? one : two;
                agent.Logs.Write(container, $"{round}.{i}", sameTime: i % 5 == 4);
                written.Add($"{container} {round}.{i}");
            }
            told.AddRange(await reading.Next(round == 11 ? written.Count - told.Count : 13 + round));
            await reading.Break();
        }
        foreach (var container in new[] { one, two })
            Assert.Equal(written.Where(line => line.StartsWith(container, StringComparison.Ordinal)), told.Where(line => line.StartsWith(container, StringComparison.Ordinal)));
        Assert.Equal(written.Count, told.Count);
    }

    [Fact]
    public async Task The_stream_goes_on_when_the_agent_is_back()
    {
        var logs = new SimulatedLogs();
        var agent = await Agent("away");
        agent.Logs = logs;
        var (one, two) = await Two("away");
        logs.Write(one, "first");
        await using var reading = new LogReading(silo, "/v1/apps/away/logs?follow=true");
        Assert.Equal($"{one} first", await reading.Next());
        await agent.DisposeAsync();
        logs.Write(two, "nobody heard it");
        await using var again = await Agent("away");
        again.Logs = logs;
        Assert.Equal($"{two} nobody heard it", await reading.Next());
        logs.Write(one, "second");
        Assert.Equal($"{one} second", await reading.Next());
    }

    [Fact]
    public async Task A_stream_ends_with_its_app_and_logs_of_a_container_that_is_over_say_so()
    {
        await using var agent = await Agent("ending");
        var (one, _) = await Two("ending");
        agent.Logs.Write(one, "last words");
        await using var reading = new LogReading(silo, "/v1/apps/ending/logs?follow=true");
        Assert.Equal($"{one} last words", await reading.Next());
        await using var ofOne = new LogReading(silo, $"/v1/apps/ending/logs?follow=true&container={one}");
        Assert.Equal($"{one} last words", await ofOne.Next());
        await silo.Api.DeleteAsync("/v1/apps/ending");
        Assert.Null(await reading.Next());
        Assert.Contains($"{one} is over", reading.Notes);
        Assert.Null(await ofOne.Next());
        var answer = await silo.Api.GetAsync($"/v1/apps/ending/logs?container={one}");
        Assert.Equal(404, (int)answer.StatusCode);
        Assert.Contains("its log went with it", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_server_that_is_away_is_named_and_does_not_spoil_the_rest()
    {
        await using var agent = await Agent("partly");
        var other = await SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, "partly-2", change: h => h.Labels.Add("only", "partly"));
        await silo.Put("partly", Spec("partly", replicas: 2));
        await silo.Until("partly", s => (int)s["ready"]! == 2);
        foreach (var id in await Ids("partly"))
        {
            agent.Logs.Write(id, "here");
            other.Logs.Write(id, "there");
        }
        Assert.Equal(2, (await silo.Get("/v1/apps/partly/logs")).AsArray().Count);
        await other.DisposeAsync();
        var answer = await silo.Api.GetAsync("/v1/apps/partly/logs");
        Assert.Contains("its agent is not connected", answer.Headers.GetValues("Hosting-Incomplete").Single());
        Assert.Contains("here", await answer.Content.ReadAsStringAsync());
    }

    private static object Spec(string only, int replicas) => new
    {
        image = "shop:1", port = 8080, replicas, cpuMillis = 10, memoryMiB = 16, regions = new[] { SiloUnderTest.Region },
        constraints = new { only },
    };

    private Task<SimulatedAgent> Agent(string only) =>
        SimulatedAgent.Connect(silo.Hub, SiloUnderTest.Region, $"{only}-1", change: h => h.Labels.Add("only", only));

    private async Task<(string One, string Two)> Two(string app)
    {
        await silo.Put(app, Spec(app, replicas: 2));
        await silo.Until(app, s => (int)s["ready"]! == 2);
        var ids = await Ids(app);
        return (ids[0], ids[1]);
    }

    private async Task<List<string>> Ids(string app) =>
        [.. (await silo.Get($"/v1/apps/{app}/containers")).AsArray().Select(c => (string)c!["id"]!)];
}
